//! A smaller template that still differs: parts are left out, blocks become their bodies, calls become their arguments.

use anyhow::Result;

use crate::tree::{Expression, Part, Template};

/// More than this is not tried.
const TRIES: usize = 2_000;

/// The smallest that is found.
pub(crate) fn smallest(
    template: Template,
    mut differs: impl FnMut(&Template) -> Result<bool>,
) -> Result<Template> {
    let (mut best, mut tries) = (template, 0);
    'smaller: loop {
        for candidate in parts(&best.0).into_iter().map(Template) {
            tries += 1;
            if tries > TRIES {
                return Ok(best);
            }
            if candidate.to_string().len() < best.to_string().len() && differs(&candidate)? {
                best = candidate;
                continue 'smaller;
            }
        }
        return Ok(best);
    }
}

/// Each way to make one of them smaller.
#[expect(clippy::indexing_slicing, reason = "the index is one of the slice's")]
fn parts(all: &[Part]) -> Vec<Vec<Part>> {
    let mut smaller = Vec::new();
    for (at, one) in all.iter().enumerate() {
        for new in std::iter::once(Vec::new()).chain(part(one)) {
            smaller.push([&all[..at], &new, &all[at + 1..]].concat());
        }
    }
    smaller
}

fn part(one: &Part) -> Vec<Vec<Part>> {
    let values = |value: &Expression, make: &dyn Fn(Expression) -> Part| {
        expression(value).into_iter().map(|value| vec![make(value)]).collect::<Vec<_>>()
    };
    match one {
        Part::Text(_) | Part::Break | Part::Continue => Vec::new(),
        Part::Print(value, left, right) => {
            let mut smaller = values(value, &|value| Part::Print(value, *left, *right));
            if *left || *right {
                smaller.push(vec![Part::Print(value.clone(), false, false)]);
            }
            smaller
        }
        Part::Let(name, value, first) => values(value, &|value| Part::Let(name, value, *first)),
        Part::If(value, body, otherwise) => {
            block(value, body, otherwise, &|value, body, otherwise| Part::If(value, body, otherwise))
        }
        Part::With(value, body, otherwise) => {
            block(value, body, otherwise, &|value, body, otherwise| Part::With(value, body, otherwise))
        }
        Part::Range(value, named, body, otherwise) => {
            block(value, body, otherwise, &|value, body, otherwise| {
                Part::Range(value, *named, body, otherwise)
            })
        }
        Part::Define(body, dot) => block(dot, body, &[], &|dot, body, _| Part::Define(body, dot)),
    }
}

type Block<'m> = &'m dyn Fn(Expression, Vec<Part>, Vec<Part>) -> Part;

fn block(value: &Expression, body: &[Part], otherwise: &[Part], make: Block<'_>) -> Vec<Vec<Part>> {
    let mut smaller = vec![body.to_vec(), otherwise.to_vec()];
    if !otherwise.is_empty() {
        smaller.push(vec![make(value.clone(), body.to_vec(), Vec::new())]);
    }
    smaller.extend(
        expression(value).into_iter().map(|value| vec![make(value, body.to_vec(), otherwise.to_vec())]),
    );
    smaller.extend(parts(body).into_iter().map(|body| vec![make(value.clone(), body, otherwise.to_vec())]));
    smaller.extend(
        parts(otherwise).into_iter().map(|otherwise| vec![make(value.clone(), body.to_vec(), otherwise)]),
    );
    smaller
}

#[expect(clippy::indexing_slicing, reason = "the index is one of the slice's")]
fn expression(one: &Expression) -> Vec<Expression> {
    match one {
        Expression::Leaf(_) => Vec::new(),
        Expression::Call(name, arguments) => {
            let mut smaller = arguments.clone();
            for at in 0..arguments.len() {
                let instead = |new: &[Expression]| [&arguments[..at], new, &arguments[at + 1..]].concat();
                smaller.push(Expression::Call(name.clone(), instead(&[])));
                for argument in expression(&arguments[at]) {
                    smaller.push(Expression::Call(name.clone(), instead(&[argument])));
                }
            }
            smaller
        }
        Expression::Pipe(last, name, arguments) => {
            let mut smaller = vec![(**last).clone()];
            for last in expression(last) {
                smaller.push(Expression::Pipe(Box::new(last), name.clone(), arguments.clone()));
            }
            let arguments = [arguments.as_slice(), &[(**last).clone()]].concat();
            smaller.extend(expression(&Expression::Call(name.clone(), arguments)));
            smaller
        }
    }
}
