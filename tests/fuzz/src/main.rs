//! Mutated templates against the default template engine. The corpus are the recorded cases; what comes of them may be anything but a
//! panic, a fault that the host would refuse, or another answer the second time.
//!
//! Each target changes what its part of the engine is sensitive to: bytes for the lexer, tokens for the parser, names and literals for the
//! evaluator. The seeds are the same in every run; KEYMILL_FULL=1 tries a hundred times as many. Without coverage to guide it: the engine is
//! built as any crate here.

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod engine;
#[cfg(test)]
mod mutate;

#[cfg(test)]
mod tests {
    use crate::corpus::Corpus;
    use crate::engine::{render, validate};
    use crate::mutate::{bytes, names, tokens};

    const TRIES: u64 = 2_000;

    fn fuzz(target: impl Fn(&Corpus, &mut dyn FnMut() -> u64)) {
        let corpus = Corpus::read();
        let tries = if support::is_full() { 100 * TRIES } else { TRIES };
        for seed in 0..tries {
            target(&corpus, &mut support::numbers(seed));
        }
    }

    #[test]
    fn lexer() {
        fuzz(|corpus, next| {
            let text = bytes(corpus.one(next), next);
            validate(&text, ("{{", "}}"));
            let delimiters = [("{{", "}}"), ("<<", ">>"), ("[", "]"), ("%", "%"), ("{{{", "}}}"), ("é", "ü")];
            validate(&text, delimiters[(next() % 6) as usize]);
        });
    }

    #[test]
    fn parser() {
        fuzz(|corpus, next| validate(&tokens(corpus, next), ("{{", "}}")));
    }

    #[test]
    fn evaluator() {
        fuzz(|corpus, next| render(&names(corpus, next)));
    }
}
