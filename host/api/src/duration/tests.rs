use super::*;

fn check(text: &str, nanoseconds: i64, written: &str) {
    let duration: Duration = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(duration.nanoseconds(), nanoseconds, "{text}");
    assert_eq!(duration.to_string(), written, "{text}");
    assert_eq!(written.parse(), Ok(duration), "{text}: what is written reads as the same");
}

const S: i64 = 1_000_000_000;

#[test]
fn reads_and_writes_as_go_does() {
    check("0", 0, "0s");
    check("0s", 0, "0s");
    check("+0", 0, "0s");
    check("-0", 0, "0s");
    check("5s", 5 * S, "5s");
    check("3s", 3 * S, "3s");
    check("24h", 86_400 * S, "24h0m0s");
    check("1h0m0s", 3_600 * S, "1h0m0s");
    check("1h30m", 5_400 * S, "1h30m0s");
    check("90m", 5_400 * S, "1h30m0s");
    check("61s", 61 * S, "1m1s");
    check("-1.5h", -5_400 * S, "-1h30m0s");
    check("+5s", 5 * S, "5s");
    check("5.0s", 5 * S, "5s");
    check("5.s", 5 * S, "5s");
    check(".5s", S / 2, "500ms");
    check("1.004s", S + 4_000_000, "1.004s");
    check("1.0040s", S + 4_000_000, "1.004s");
    check("100.00100s", 100 * S + 1_000_000, "1m40.001s");
    check("11us", 11_000, "11\u{b5}s");
    check("12\u{b5}s", 12_000, "12\u{b5}s");
    check("12\u{3bc}s", 12_000, "12\u{b5}s");
    check("14ms", 14_000_000, "14ms");
    check("1.5ms", 1_500_000, "1.5ms");
    check("2.2us", 2_200, "2.2\u{b5}s");
    check("10ns", 10, "10ns");
    check("10.5s4m", 250 * S + S / 2, "4m10.5s");
    check("1h2m3s4ms5us6ns", 3_723 * S + 4_005_006, "1h2m3.004005006s");
    check("39h9m14.425s", 140_954 * S + 425_000_000, "39h9m14.425s");
    check("52763797000ns", 52_763_797_000, "52.763797s");
    check("0.3333333333333333333h", 1_200 * S, "20m0s");
    check("9007199254740993ns", 9_007_199_254_740_993, "2501h59m59.254740993s");
    check("9223372036854775807ns", i64::MAX, "2562047h47m16.854775807s");
    check("9223372036854775.807us", i64::MAX, "2562047h47m16.854775807s");
    check("-9223372036854775808ns", i64::MIN, "-2562047h47m16.854775808s");
    check("-2562047h47m16.854775808s", i64::MIN, "-2562047h47m16.854775808s");
    check("0.100000000000000000000h", 360 * S, "6m0s");
    check("0.9223372036854775807h", 3_320_413_933_267, "55m20.413933267s");
}

fn check_refused(text: &str, expected: &str) {
    let error = text.parse::<Duration>().expect_err(text).to_string();
    assert!(error.contains(expected), "{text}: {error}");
}

#[test]
fn refuses_what_go_refuses() {
    check_refused("", "is not one");
    check_refused("3", "unit is missing");
    check_refused("-", "is not one");
    check_refused("s", "is not one");
    check_refused(".", "is not one");
    check_refused("-.", "is not one");
    check_refused(".s", "is not one");
    check_refused("+.s", "is not one");
    check_refused("1d", "`d` is not a unit");
    check_refused("1h 30m", "`h ` is not a unit");
    check_refused(" 1h", "is not one");
    check_refused("1H", "`H` is not a unit");
    check_refused("1.2.3s", "unit is missing");
    check_refused("\u{85}\u{85}", "is not one");
    check_refused("3000000h", "292 years");
    check_refused("9223372036854775808ns", "292 years");
    check_refused("9223372036854775810ns", "292 years");
    check_refused("-9223372036854775809ns", "292 years");
    check_refused("9223372036854776us", "292 years");
    check_refused("9223372036854ms775us808ns", "292 years");
}

#[test]
fn json_is_a_string() {
    assert_eq!(serde_json::to_string(&Duration::from_secs(3600)).unwrap(), r#""1h0m0s""#);
    let error = serde_json::from_str::<Duration>(r#""soon""#).unwrap_err().to_string();
    assert!(error.starts_with("failed to parse `soon`"), "{error}");
    assert!(serde_json::from_str::<Duration>("5").is_err());
}

#[test]
fn negative_lengths_are_no_time() {
    let negative = Duration::from_secs(-1);
    assert!(!negative.is_positive());
    assert_eq!(negative.to_std(), std::time::Duration::ZERO);
    assert_eq!(Duration::from_secs(2).to_std(), std::time::Duration::from_secs(2));
}
