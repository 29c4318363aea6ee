use super::*;
use crate::value::{Dict, Elements, UintType};

fn check(format: &str, values: &[Value], expected: &str) {
    let text = printf(format.as_bytes(), values).expect("short");
    assert_eq!(String::from_utf8_lossy(&text), expected, "{format}");
}

fn list(items: Vec<Value>) -> Value {
    Value::list(items).expect("short")
}

#[test]
fn integers() {
    for (format, value, expected) in [
        ("%05d", -42, "-0042"),
        ("%+d", 5, "+5"),
        ("% d", 5, " 5"),
        ("%-5d|", 5, "5    |"),
        ("%.3d", 5, "005"),
        ("%.0d|", 0, "|"),
        ("%08.3d|", 5, "     005|"),
        ("%#x", 255, "0xff"),
        ("%#o", 8, "010"),
        ("%O", -8, "-0o10"),
        ("%#b", 5, "0b101"),
        ("%c", 233, "é"),
        ("%c", -1, "\u{fffd}"),
        ("%q", 65, "'A'"),
        ("%#U", 9731, "U+2603 '☃'"),
        ("%08U", 233, "  U+00E9"),
        ("%s", 5, "%!s(int=5)"),
        ("%x", -255, "-ff"),
        ("%6x|", 255, "    ff|"),
    ] {
        check(format, &[Value::int(value)], expected);
    }
}

#[test]
fn floats() {
    for (format, value, expected) in [
        ("%v", 1.0, "1"),
        ("%08.3f", -3.2468, "-003.247"),
        ("%+.2e", 12345.678, "+1.23e+04"),
        ("% .3f", 1.5, " 1.500"),
        ("%.0f", 2.5, "2"),
        ("%6.1f|", 2.0, "   2.0|"),
        ("%#g", 1.0, "1.00000"),
        ("%#.3x", 1.5, "0x1.800p+00"),
        ("%d", 1.5, "%!d(float64=1.5)"),
        ("%06v", f64::INFINITY, "  +Inf"),
        ("%v", f64::NAN, "NaN"),
        ("%+f", f64::NAN, "+NaN"),
        ("%v", f64::NEG_INFINITY, "-Inf"),
    ] {
        check(format, &[Value::Float(value)], expected);
    }
}

#[test]
fn texts() {
    for (format, value, expected) in [
        ("%5s|", "ab", "   ab|"),
        ("%05s", "ab", "000ab"),
        ("%.2s", "héllo", "hé"),
        ("%x", "hi", "6869"),
        ("%# X", "hi", "0X68 0X69"),
        ("%#x", "hi", "0x6869"),
        ("%q", "a\"", "\"a\\\"\""),
        ("%#q", "a", "`a`"),
        ("%+q", "é", "\"\\u00e9\""),
        ("%d", "a", "%!d(string=a)"),
        ("%é", "a", "%!é(string=a)"),
        ("%t", "a", "%!t(string=a)"),
    ] {
        check(format, &[Value::text(value)], expected);
    }
}

#[test]
fn containers() {
    let dict = Dict::default();
    dict.insert("b".into(), Value::int(1)).expect("shallow");
    dict.insert("a".into(), list(vec![Value::text("x"), Value::Nil])).expect("shallow");
    let dict = Value::Dict(dict);
    for (format, expected) in [
        ("%v", "map[a:[x <nil>] b:1]"),
        ("%d", "map[%!d(string=a):[%!d(string=x) <nil>] %!d(string=b):1]"),
        ("%#v", "map[string]interface {}{\"a\":[]interface {}{\"x\", interface {}(nil)}, \"b\":1}"),
        ("%T", "map[string]interface {}"),
    ] {
        check(format, std::slice::from_ref(&dict), expected);
    }
    check("%#v", &[Value::List(List::nil(Elements::Texts))], "[]string(nil)");
    check("%#v", &[Value::Uint(65, UintType::Byte)], "0x41");
    check("%.1f", &[Value::Complex(0.0, 2.0)], "(0.0+2.0i)");
}

#[test]
fn directives() {
    let values = [Value::text("a"), Value::int(1), Value::int(2)];
    for (format, expected) in [
        ("%[2]d %[1]s %d", "1 a 1"),
        ("%s %d", "a 1%!(EXTRA int=2)"),
        ("%s %d %d %d", "a 1 2 %!d(MISSING)"),
        ("%[5]d", "%!d(BADINDEX)"),
        ("%[x]d", "%!d(BADINDEX)"),
        ("%s%d%d%%", "a12%"),
        ("%s%d%d%", "a12%!(NOVERB)"),
        ("%s%*d", "a2"),
        ("%[2]*[3]d|", "2|"),
        ("%*d", "%!(BADWIDTH)1%!(EXTRA int=2)"),
        ("%s%d%z", "a1%!z(int=2)"),
    ] {
        check(format, &values, expected);
    }
    check("%s", &[Value::Nil], "%!s(<nil>)");
    check("%v", &[Value::Nil], "<nil>");
    check("x", &[Value::Nil], "x%!(EXTRA <nil>)");
}

#[test]
fn print_separates_what_is_not_text() {
    let values = [Value::text("a"), Value::int(1), Value::int(2), Value::text("b"), Value::Nil];
    assert_eq!(&*print(&values).expect("short"), b"a1 2b<nil>");
    assert_eq!(&*println(&values).expect("short"), b"a 1 2 b <nil>\n");
}

#[test]
fn endless_widths_and_values_end() {
    assert_eq!(printf(&b"%1000000d".repeat(5), &vec![Value::int(1); 5]).err(), Some(Rule::Size));
    let dict = Dict::default();
    dict.insert("self".into(), Value::Dict(dict.clone())).expect("shallow");
    assert_eq!(to_text(&Value::Dict(dict)).err(), Some(Rule::Nesting));
}
