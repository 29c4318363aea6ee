//! URLs by the rules of Go's `net/url`: to a dict of parts and back.

use super::arguments::{dict, text};
use super::{Context, Family, Function, Type, p};
use crate::rule::Rule;
use crate::text::{Buffer, find};
use crate::value::{Dict, Value};

const F: Family = Family::Urls;

pub(super) const ROWS: &[Function] = &[
    F.pure(
        "urlParse",
        &[p("url", Type::Text)],
        "dict",
        "Scheme, userinfo, host, hostname, path, query, ...",
        url_parse,
    ),
    F.pure("urlJoin", &[p("parts", Type::Dict)], "string", "The URL of such parts.", url_join),
];

type Answer = Result<Value, Rule>;

/// The parts of a URL, decoded except for query and userinfo.
#[derive(Default)]
struct Url {
    scheme: Vec<u8>,
    opaque: Vec<u8>,
    /// Name and, after a colon, password.
    user: Option<(Vec<u8>, Option<Vec<u8>>)>,
    host: Vec<u8>,
    path: Vec<u8>,
    query: Vec<u8>,
    fragment: Vec<u8>,
}

fn url_parse(a: &[Value], _: &mut Context<'_>) -> Answer {
    let url = parse(text(a, 0)?)?;
    let parts = Dict::default();
    let hostname = hostname(&url.host).to_vec();
    let userinfo = userinfo(&url.user)?;
    for (key, value) in [
        ("scheme", url.scheme),
        ("host", url.host),
        ("hostname", hostname),
        ("path", url.path),
        ("query", url.query),
        ("opaque", url.opaque),
        ("fragment", url.fragment),
        ("userinfo", userinfo),
    ] {
        parts.insert(key.into(), Value::text(value))?;
    }
    Ok(Value::Dict(parts))
}

fn url_join(a: &[Value], _: &mut Context<'_>) -> Answer {
    let parts = dict(a, 0)?;
    let part = |key: &str| match parts.get(key.as_bytes()) {
        None => Ok(Vec::new()),
        Some(Value::Text(text)) => Ok(text.to_vec()),
        Some(_) => Err(Rule::BadArgument),
    };
    let userinfo = part("userinfo")?;
    let user = if userinfo.is_empty() {
        None
    } else {
        parse(&[b"proto://", userinfo.as_slice(), b"@host"].concat())?.user
    };
    let url = Url {
        scheme: part("scheme")?,
        opaque: part("opaque")?,
        user,
        host: part("host")?,
        path: part("path")?,
        query: part("query")?,
        fragment: part("fragment")?,
    };
    join(&url)
}

fn parse(text: &[u8]) -> Result<Url, Rule> {
    if text.iter().any(|byte| *byte < b' ' || *byte == 0x7f) {
        return Err(Rule::BadArgument);
    }
    let (before, fragment) = cut(text, b'#');
    let mut url = Url { fragment: unescape(fragment.unwrap_or_default(), Part::Fragment)?, ..Url::default() };
    if before == b"*" {
        url.path = b"*".to_vec();
        return Ok(url);
    }
    let (scheme, rest) = split_scheme(before)?;
    url.scheme = scheme.to_ascii_lowercase();
    let (rest, query) = cut(rest, b'?');
    url.query = query.unwrap_or_default().to_vec();
    if !rest.starts_with(b"/") {
        if !scheme.is_empty() {
            url.opaque = rest.to_vec();
            return Ok(url);
        }
        if cut(rest, b'/').0.contains(&b':') {
            return Err(Rule::BadArgument);
        }
    }
    let has_authority = (!scheme.is_empty() || !rest.starts_with(b"///")) && rest.starts_with(b"//");
    let mut path = rest;
    if has_authority {
        let inside = rest.get(2..).unwrap_or_default();
        let end = inside.iter().position(|byte| *byte == b'/').unwrap_or(inside.len());
        authority(&mut url, inside.get(..end).unwrap_or_default())?;
        path = inside.get(end..).unwrap_or_default();
    }
    url.path = unescape(path, Part::Path)?;
    Ok(url)
}

/// Before and after the first separator.
fn cut(text: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|byte| *byte == separator) {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..)),
        None => (text, None),
    }
}

fn split_scheme(text: &[u8]) -> Result<(&[u8], &[u8]), Rule> {
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return Err(Rule::BadArgument),
            b':' => {
                let rest = text.get(at + 1..).unwrap_or_default();
                return Ok((text.get(..at).unwrap_or_default(), rest));
            }
            _ => break,
        }
    }
    Ok((b"", text))
}

fn authority(url: &mut Url, authority: &[u8]) -> Result<(), Rule> {
    let at = authority.iter().rposition(|byte| *byte == b'@');
    let host = authority.get(at.map_or(0, |at| at + 1)..).unwrap_or_default();
    url.host = parse_host(&url.scheme, host)?;
    if let Some(userinfo) = at.and_then(|at| authority.get(..at)) {
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(byte);
        if !userinfo.iter().all(allowed) {
            return Err(Rule::BadArgument);
        }
        let (name, password) = cut(userinfo, b':');
        let password = password.map(|password| unescape(password, Part::User)).transpose()?;
        url.user = Some((unescape(name, Part::User)?, password));
    }
    Ok(())
}

fn parse_host(scheme: &[u8], host: &[u8]) -> Result<Vec<u8>, Rule> {
    if let Some(open) = host.iter().rposition(|byte| *byte == b'[') {
        let close = host.iter().rposition(|byte| *byte == b']');
        let inside =
            close.and_then(|close| host.get(1..close)).filter(|_| open == 0).ok_or(Rule::BadArgument)?;
        let port = close.and_then(|close| host.get(close + 1..)).unwrap_or_default();
        check_port(port)?;
        return literal_host(inside, port);
    }
    let first = host.iter().position(|byte| *byte == b':');
    let last = host.iter().rposition(|byte| *byte == b':');
    // Several hosts with ports are common in database URLs; only the web's schemes are strict.
    let colon = if matches!(scheme, b"http" | b"https") { first } else { last };
    check_port(colon.and_then(|colon| host.get(colon..)).unwrap_or_default())?;
    unescape(host, Part::Host)
}

/// An address in brackets, whose zone may be encoded freely.
fn literal_host(inside: &[u8], port: &[u8]) -> Result<Vec<u8>, Rule> {
    let zone = find(inside, b"%25", 0).unwrap_or(inside.len());
    let (address, zone) = inside.split_at(zone);
    let address = unescape(address, Part::Host)?;
    let parsed = std::str::from_utf8(&address).ok().map(str::parse::<std::net::Ipv6Addr>);
    if !matches!(parsed, Some(Ok(_))) {
        return Err(Rule::BadArgument);
    }
    let zone = unescape(zone, Part::Zone)?;
    Ok([b"[".as_slice(), &address, &zone, b"]", port].concat())
}

fn check_port(port: &[u8]) -> Result<(), Rule> {
    match port {
        [] => Ok(()),
        [b':', digits @ ..] if digits.iter().all(u8::is_ascii_digit) => Ok(()),
        _ => Err(Rule::BadArgument),
    }
}

/// The host without port and brackets.
fn hostname(host: &[u8]) -> &[u8] {
    if let (Some(b'['), Some(close)) = (host.first(), host.iter().position(|byte| *byte == b']')) {
        return host.get(1..close).unwrap_or_default();
    }
    let colon = host
        .iter()
        .rposition(|byte| *byte == b':')
        .filter(|colon| host.get(*colon..).is_some_and(|port| check_port(port).is_ok()));
    host.get(..colon.unwrap_or(host.len())).unwrap_or_default()
}

fn userinfo(user: &Option<(Vec<u8>, Option<Vec<u8>>)>) -> Result<Vec<u8>, Rule> {
    let mut out = Buffer::default();
    push_user(&mut out, user);
    out.into_bytes()
}

fn push_user(out: &mut Buffer, user: &Option<(Vec<u8>, Option<Vec<u8>>)>) {
    let Some((name, password)) = user else { return };
    escape(out, name, Part::User);
    if let Some(password) = password {
        out.push_byte(b':');
        escape(out, password, Part::User);
    }
}

fn join(url: &Url) -> Answer {
    let mut out = Buffer::default();
    if !url.scheme.is_empty() {
        out.push(&url.scheme);
        out.push_byte(b':');
    }
    if url.opaque.is_empty() {
        let authority = !url.scheme.is_empty() || !url.host.is_empty() || url.user.is_some();
        if authority && (!url.host.is_empty() || !url.path.is_empty() || url.user.is_some()) {
            out.push(b"//");
            push_user(&mut out, &url.user);
            if url.user.is_some() {
                out.push_byte(b'@');
            }
            escape(&mut out, &url.host, Part::Host);
        }
        push_path(&mut out, url);
    } else {
        out.push(&url.opaque);
    }
    if !url.query.is_empty() {
        out.push_byte(b'?');
        out.push(&url.query);
    }
    if !url.fragment.is_empty() {
        out.push_byte(b'#');
        escape(&mut out, &url.fragment, Part::Fragment);
    }
    out.into_text().map(Value::Text)
}

fn push_path(out: &mut Buffer, url: &Url) {
    if !url.path.is_empty() && !url.path.starts_with(b"/") && !url.host.is_empty() {
        out.push_byte(b'/');
    }
    if out.len() == 0 && cut(&url.path, b'/').0.contains(&b':') {
        out.push(b"./");
    }
    if url.path == b"*" {
        out.push_byte(b'*');
    } else {
        escape(out, &url.path, Part::Path);
    }
}

/// Where a text stands in a URL, which decides what must be encoded.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    User,
    Host,
    Zone,
    Path,
    Fragment,
}

fn must_escape(byte: u8, part: Part) -> bool {
    match byte {
        _ if byte.is_ascii_alphanumeric() => false,
        b'-' | b'_' | b'.' | b'~' => false,
        b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' | b':' | b'[' | b']'
        | b'<' | b'>' | b'"'
            if matches!(part, Part::Host | Part::Zone) =>
        {
            false
        }
        b'$' | b'&' | b'+' | b',' | b'/' | b':' | b';' | b'=' | b'?' | b'@' => match part {
            Part::Path => byte == b'?',
            Part::User => matches!(byte, b'@' | b'/' | b'?' | b':'),
            Part::Fragment => false,
            Part::Host | Part::Zone => true,
        },
        b'!' | b'(' | b')' | b'*' if part == Part::Fragment => false,
        _ => true,
    }
}

fn escape(out: &mut Buffer, text: &[u8], part: Part) {
    for &byte in text {
        if must_escape(byte, part) {
            out.push_str(&format!("%{byte:02X}"));
        } else {
            out.push_byte(byte);
        }
    }
}

fn unescape(text: &[u8], part: Part) -> Result<Vec<u8>, Rule> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [byte, tail @ ..] = rest {
        if *byte != b'%' {
            if matches!(part, Part::Host | Part::Zone) && byte.is_ascii() && must_escape(*byte, part) {
                return Err(Rule::BadArgument);
            }
            out.push(*byte);
            rest = tail;
            continue;
        }
        let [high, low, tail @ ..] = tail else {
            return Err(Rule::BadArgument);
        };
        let digit = |byte: &u8| char::from(*byte).to_digit(16).ok_or(Rule::BadArgument);
        let decoded = u8::try_from(digit(high)? << 4 | digit(low)?).map_err(|_| Rule::BadArgument)?;
        let allowed = match part {
            // In a host only what is not ASCII may be encoded, but for the percent sign that starts a zone.
            Part::Host => !decoded.is_ascii() || decoded == b'%',
            Part::Zone => matches!(decoded, b'%' | b' ') || !must_escape(decoded, Part::Host),
            Part::User | Part::Path | Part::Fragment => true,
        };
        if !allowed {
            return Err(Rule::BadArgument);
        }
        out.push(decoded);
        rest = tail;
    }
    Ok(out)
}
