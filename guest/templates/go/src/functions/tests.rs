use super::*;
use crate::draw::KeyKind;
use crate::engine::{Entry, Request, Scope, Template, render};
use crate::lexer::Delimiters;

#[test]
fn the_table_is_sorted_and_has_no_name_twice() {
    assert!(TABLE.windows(2).all(|pair| pair[0].name < pair[1].name));
    for function in all() {
        assert_eq!(find(function.name).map(|found| found.name), Some(function.name));
        assert!(!function.about.is_empty() && !function.returns.is_empty(), "{}", function.name);
    }
}

#[test]
fn what_reaches_out_does_not_exist() {
    for name in ["env", "expandenv", "getHostByName", "tpl", "include", "lookup", "required", "break", "nil"]
    {
        assert!(find(name).is_none(), "{name}");
    }
}

#[test]
fn usage_names_the_parameters() {
    assert_eq!(find("printf").map(Function::usage).as_deref(), Some("printf FORMAT:string [VALUES:any ...]"));
}

/// What stands before the 32 bytes of such a key.
const ED25519: &str = "302e020100300506032b657004220420";

/// Gives the bytes 0, 1, 2, ... on every stream together.
struct Counting(u8);

impl Draw for Counting {
    fn bytes(&mut self, _: &str, len: u32) -> Vec<u8> {
        (0..len)
            .map(|_| {
                let byte = self.0;
                self.0 = self.0.wrapping_add(1);
                byte
            })
            .collect()
    }

    fn key(&mut self, _: &str, _: KeyKind) -> Vec<u8> {
        let der = data_encoding::HEXLOWER.decode(ED25519.as_bytes()).expect("hexadecimal");
        [der, vec![7; 32]].concat()
    }

    fn now(&mut self) -> u64 {
        1_790_000_000
    }
}

fn run(text: &str) -> Result<String, Rule> {
    let request = Request {
        templates: vec![Template { key: "out", text, scope: Scope::Values }],
        data: vec![Entry { key: "pw", value: b"a:b\\ c+%\xff~-_." }],
        delimiters: Delimiters::default(),
    };
    let rendered = render(&request, &mut Counting(0)).map_err(|fault| fault.rule)?;
    Ok(String::from_utf8_lossy(&rendered[0][0].1).into_owned())
}

fn check(text: &str, expected: &str) {
    assert_eq!(run(text).as_deref(), Ok(expected), "{text}");
}

#[test]
fn escaping_for_connection_strings() {
    for (text, expected) in [
        ("{{ pgpassEscape \"a:b\\\\c\" }}", "a\\:b\\\\c"),
        ("{{ .pw | uriUserinfo }}", "a%3Ab%5C%20c%2B%25%FF~-_."),
        ("{{ .pw | jdbcQuery }}", "a%3Ab%5C%20c%2B%25%FF~-_."),
        ("{{ uriUserinfo \"ü\" }}", "%C3%BC"),
    ] {
        check(text, expected);
    }
}

/// As Go's sprig answers; a size that is not positive is mostly a panic there.
#[test]
fn chunks_of_a_negative_size() {
    for (text, expected) in [
        ("{{ chunk -2 (list 1) }}", Ok("[[1]]")),
        ("{{ chunk -2 (list 1 2) }}", Ok("[]")),
        ("{{ chunk -2 (list 1 2 3) }}", Ok("[]")),
        ("{{ chunk -2 (list 1 2 3 4) }}", Err(Rule::OutOfRange)),
        ("{{ chunk -1 (list 1) }}", Err(Rule::OutOfRange)),
        ("{{ chunk -2 (list) }}", Err(Rule::OutOfRange)),
        ("{{ chunk 0 (list 1) }}", Err(Rule::OutOfRange)),
    ] {
        assert_eq!(run(text).as_deref(), expected.as_deref(), "{text}");
    }
}

/// How bytes become a result is a promise: a change here changes what people's next rendering gives.
#[test]
fn drawing_is_pinned() {
    for (text, expected) in [
        ("{{ randAlphaNum 5 }}", "ABCDE"),
        ("{{ randNumeric 12 }}", "012345678901"),
        ("{{ randAlpha 3 }}{{ randAscii 3 }}", "ABC#$%"),
        ("{{ randBytes 3 }}", "AAEC"),
        ("{{ uuidv4 }}", "00010203-0405-4607-8809-0a0b0c0d0e0f"),
        ("{{ randInt 10 20 }}", "13"),
        ("{{ shuffle \"abc\" }}", "acb"),
        ("[{{ randAlphaNum -1 }}]", "[]"),
        ("{{ encryptAES \"k\" \"x\" }}", "AAECAwQFBgcICQoLDA0OD7ThA5INSSDcu7W7x26AHZk="),
        ("{{ bcrypt \"pw\" }}", "$2a$10$..CA.uOD/eaGAOmJB.yMBurujyxPQYI637FbraGMlMfEesYzQsAnu"),
        (
            "{{ htpasswd \"u\" \"pw\" \"\" }}",
            "u:$2a$10$..CA.uOD/eaGAOmJB.yMBurujyxPQYI637FbraGMlMfEesYzQsAnu",
        ),
        (
            "{{ genPrivateKey \"dsa\" | sha256sum }}",
            "215ff10d80d60e66dd57d293cdd550bd760597445934695c9a2bbadcfff4a901",
        ),
        (
            "{{ genPrivateKey \"ed25519\" | sha256sum }}",
            "ad8d88bf416cfc119aadf34098b4828a2975514df3f1f9b26df2229d62643b33",
        ),
        (
            "{{ (genCA \"x\" 1).Cert | sha256sum }}",
            "41897de80792ca7317e6eee4319839eb28d497a1f4b4e38770f9668f25feaae0",
        ),
        (
            "{{ $c := genCA \"x\" 1 }}{{ pemToPkcs12Pass $c.Cert $c.Key \"pw\" | sha256sum }}",
            "c4e562db43c8fc0cee1039c15c9b75a9ee61df6ff76a52bacf5cd7e9277c788d",
        ),
        (
            "{{ $c := genCA \"x\" 1 }}{{ pemTruststoreToPKCS12 $c.Cert | sha256sum }}",
            "b1ababa8813613a7349ae1bc9627446747104665e6ff45bad230563cd9a38c06",
        ),
        ("{{ now.Unix }}", "1790000000"),
    ] {
        check(text, expected);
    }
}

/// 248 is the largest multiple of 62 in a byte: the bytes above it would favour the first letters and are drawn again.
#[test]
fn uneven_bytes_are_drawn_again() {
    let drawn = run("{{ randAlphaNum 256 | trunc -9 }}");
    assert_eq!(drawn.as_deref(), Ok("9ABCDEFGH"));
}

#[test]
fn what_grows_too_large_ends() {
    for (text, rule) in [
        ("{{ repeat 1000000000 \"x\" }}", Rule::Size),
        ("{{ until 1000000000 }}", Rule::Size),
        ("{{ untilStep 0 9223372036854775807 1 }}", Rule::Size),
        ("{{ seq 1 1000000000 }}", Rule::Size),
        ("{{ indent 1000000000 \"x\" }}", Rule::Size),
        ("{{ randBytes 1000000000 }}", Rule::Size),
        ("{{ randAlphaNum 1000000000 }}", Rule::Size),
        ("{{ printf \"%999999d%999999d%999999d%999999d%999999d\" 1 1 1 1 1 }}", Rule::Size),
        ("{{ range 9 }}{{ genPrivateKey \"ed25519\" }}{{ end }}", Rule::Work),
        ("{{ range 19 }}{{ bcrypt \"\" }}{{ end }}", Rule::Work),
        ("{{ range 3 }}{{ derivePassword 1 \"pin\" \"\" \"\" \"\" }}{{ end }}", Rule::Work),
        ("{{ $s := \"x\" }}{{ range 40 }}{{ $s = cat $s $s }}{{ end }}", Rule::Size),
        ("{{ $l := list 1 }}{{ range 40 }}{{ $l = concat $l $l }}{{ end }}", Rule::Size),
        ("{{ $l := list 1 }}{{ range 1000 }}{{ $l = list $l }}{{ end }}", Rule::Nesting),
        ("{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ deepCopy $d }}", Rule::Nesting),
        (
            "{{ $d := dict \"a\" 1 }}{{ range 60 }}{{ $d = dict \"a\" $d \"b\" $d }}{{ end }}{{ deepCopy $d }}",
            Rule::Work,
        ),
        (
            "{{ $d := dict \"a\" 1 }}{{ range 60 }}{{ $d = dict \"a\" $d \"b\" $d }}{{ end }}{{ $d }}",
            Rule::Size,
        ),
        (
            "{{ $d := dict \"a\" 1 }}{{ range 60 }}{{ $d = dict \"a\" $d \"b\" $d }}{{ end }}{{ toYaml $d }}",
            Rule::Work,
        ),
        ("{{ regexMatch \"(a{1000}){1000}\" \"a\" }}", Rule::Failed),
    ] {
        let seen = run(text);
        if rule == Rule::Failed {
            assert_eq!(seen.as_deref(), Ok("false"), "{text}");
        } else {
            assert_eq!(seen, Err(rule), "{text}");
        }
    }
}

#[test]
fn faults_of_arguments() {
    for (text, rule) in [
        ("{{ div 1 0 }}", Rule::DivisionByZero),
        ("{{ divf 1 0 }}", Rule::DivisionByZero),
        ("{{ substr 9 10 \"x\" }}", Rule::OutOfRange),
        ("{{ mustFromJson \"{\" }}", Rule::BadArgument),
        ("{{ fail .pw }}", Rule::Failed),
        ("{{ first nil }}", Rule::ArgumentType),
        ("{{ upper 5 }}", Rule::ArgumentType),
        ("{{ hello 1 }}", Rule::ArgumentCount),
        ("{{ derivePassword (int 1) \"pin\" \"\" \"\" \"\" }}", Rule::ArgumentType),
        ("{{ derivePassword 4294967296 \"pin\" \"\" \"\" \"\" }}", Rule::ArgumentType),
        ("{{ genSignedCert \"x\" nil nil 1 nil }}", Rule::ArgumentType),
        ("{{ genSignedCert \"x\" nil nil 1 (semver \"1.0.0\") }}", Rule::ArgumentType),
        ("{{ genCA \"x\" 9999999 }}", Rule::BadArgument),
        ("{{ genCAWithKey \"x\" 1 .pw }}", Rule::NotPem),
        ("{{ genSelfSignedCert \"x\" (list \"1.2.3\") nil 1 }}", Rule::BadArgument),
        ("{{ genSelfSignedCert \"x\" nil nil -30000 }}", Rule::BadArgument),
        ("{{ (genCA \"x\" 1).Nope }}", Rule::NoField),
        ("{{ decryptAES \"k\" \"AAAAAAAAAAAAAAAAAAAAAA==\" }}", Rule::Undecryptable),
        ("{{ pkcs12key .pw }}", Rule::Undecryptable),
        ("{{ certSANs .pw }}", Rule::NotPem),
        ("{{ filterCertChain \"leaf\" \"-----BEGIN X-----\\n-----END X-----\" }}", Rule::NotACertificate),
        ("{{ jwkPublicKeyPem \"{}\" }}", Rule::NotAKey),
        ("{{ rsaDecrypt \"RSA-OAEP\" \"\" \"\" .pw }}", Rule::NotPem),
        ("{{ regexFind \"(\" \"x\" }}", Rule::BadArgument),
    ] {
        assert_eq!(run(text), Err(rule), "{text}");
    }
}

/// It is written by `examples/functions.rs`, which says how.
#[test]
fn the_table_for_readers_is_that_of_the_engine() {
    let written = include_str!("../../functions.tsv");
    let differs = written.lines().zip(table().lines().map(str::to_owned)).find(|(left, right)| left != right);
    assert_eq!(differs, None);
    assert_eq!(written.lines().count(), all().len());
    for line in written.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        assert!(columns.len() == 6 && columns.iter().all(|column| !column.is_empty()), "{line}");
    }
}
