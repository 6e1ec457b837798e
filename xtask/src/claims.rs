//! `tests/claims.toml`: each thing that the product promises, and the tests that would fail if it were not so.
//!
//! A promise whose test is missing or did not run is a failure of its own: deleting a test must not go unseen.

use crate::ring::{Outcome, Results, TestResult};
use crate::workspace::Workspace;

/// One promise.
#[derive(Debug, Default, PartialEq, Eq)]
struct Claim {
    issue: u32,
    bullet: String,
    tests: Vec<String>,
}

/// Holds every claim against the results so far; each claim is one test.
pub(crate) fn check(workspace: &Workspace, results: &mut Results) {
    let path = workspace.path("tests/claims.toml");
    let claims = std::fs::read_to_string(&path)
        .map_err(|error| format!("{}: {error}", path.display()))
        .and_then(|text| parse(&text));
    let claims = match claims {
        Ok(claims) if claims.is_empty() => {
            return results.check("claims::listed", Err("tests/claims.toml promises nothing".to_owned()));
        }
        Ok(claims) => claims,
        Err(error) => return results.check("claims::listed", Err(error)),
    };
    for (at, claim) in claims.iter().enumerate() {
        let held = held(claim, results.all());
        let name = format!("claims::{}.{} {}", claim.issue, at + 1, claim.bullet);
        match held {
            Ok(outcome) => results.add(&name, outcome, ""),
            Err(why) => results.add(&name, Outcome::Failed, &why),
        }
    }
}

/// What a claim's tests show together: nothing, where one of them was skipped.
fn held(claim: &Claim, results: &[TestResult]) -> Result<Outcome, String> {
    if claim.tests.is_empty() {
        return Err("no test is named".to_owned());
    }
    let mut shown = Outcome::Passed;
    for wanted in &claim.tests {
        let matching: Vec<_> = results.iter().filter(|result| is_named(&result.name, wanted)).collect();
        match matching.as_slice() {
            [] => return Err(format!("{wanted} did not run")),
            [one] => match &one.outcome {
                Outcome::Passed => {}
                Outcome::Failed => return Err(format!("{wanted} failed")),
                Outcome::Skipped(why) => shown = Outcome::Skipped(format!("{wanted} was skipped: {why}")),
            },
            // Of two with one name, one could go without being missed.
            several => return Err(format!("{wanted} names {} tests", several.len())),
        }
    }
    Ok(shown)
}

/// Whether `wanted` names the test: in full, or as `crate::name` without the modules between.
fn is_named(full: &str, wanted: &str) -> bool {
    if full == wanted {
        return true;
    }
    let Some((package, name)) = wanted.split_once("::") else { return false };
    full.strip_prefix(package)
        .and_then(|rest| rest.strip_prefix("::"))
        .is_some_and(|rest| rest.ends_with(&format!("::{name}")))
}

/// Reads the part of TOML that the file uses: `[[claim]]`, a number, strings on one line, a list of strings.
fn parse(text: &str) -> Result<Vec<Claim>, String> {
    let mut claims: Vec<Claim> = Vec::new();
    let mut in_list = false;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let wrong = |what: &str| format!("tests/claims.toml:{}: {what}", number + 1);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line == "[[claim]]" {
            claims.push(Claim::default());
            continue;
        }
        let claim = claims.last_mut().ok_or_else(|| wrong("a line before the first [[claim]]"))?;
        if in_list {
            claim.tests.extend(strings(line));
            in_list = !line.ends_with(']');
            continue;
        }
        let (key, value) = line.split_once('=').ok_or_else(|| wrong("not `key = value`"))?;
        let value = value.trim();
        match key.trim() {
            "issue" => claim.issue = value.parse().map_err(|_| wrong("issue is not a number"))?,
            "bullet" => {
                let text = strings(value).into_iter().next();
                claim.bullet = text.ok_or_else(|| wrong("bullet is not a string"))?;
            }
            "tests" => {
                claim.tests.extend(strings(value));
                in_list = !value.ends_with(']');
            }
            _ => return Err(wrong("an unknown key")),
        }
    }
    if in_list { Err("tests/claims.toml: a list does not end".to_owned()) } else { Ok(claims) }
}

/// The strings between double quotes on a line. A name or a bullet holds no quote itself.
pub(crate) fn strings(line: &str) -> Vec<String> {
    line.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_read_with_lists_on_one_line_and_on_many() {
        let text = "# promises\n[[claim]]\nissue = 2\nbullet = \"First run\"\ntests = [\"a::b\", \"c::d\"]\n\n[[claim]]\nissue = 2\nbullet = \"Record\"\ntests = [\n  \"e::f\", # why\n]\n";
        let claims = parse(text).expect("the text is well formed");
        let first = Claim {
            issue: 2,
            bullet: "First run".to_owned(),
            tests: vec!["a::b".to_owned(), "c::d".to_owned()],
        };
        let second = Claim { issue: 2, bullet: "Record".to_owned(), tests: vec!["e::f".to_owned()] };
        assert_eq!(claims, [first, second], "both claims are there with all their tests");
    }

    #[test]
    fn a_name_without_its_modules_is_found_only_in_its_own_crate() {
        assert!(
            is_named("mecum-seal::envelope::tests::opens", "mecum-seal::opens"),
            "the modules may be left out"
        );
        assert!(
            is_named("mecum-seal::envelope::tests::opens", "mecum-seal::envelope::tests::opens"),
            "the full name is a name"
        );
        assert!(
            !is_named("mecum-vault::envelope::tests::opens", "mecum-seal::opens"),
            "another crate's test proves nothing here"
        );
        assert!(
            !is_named("mecum-seal::envelope::tests::reopens", "mecum-seal::opens"),
            "the end of a name is not the name"
        );
    }

    #[test]
    fn a_claim_holds_only_by_tests_that_ran_and_passed_each_under_a_name_of_its_own() {
        let claim = |tests: &[&str]| Claim {
            tests: tests.iter().map(|test| (*test).to_owned()).collect(),
            ..Claim::default()
        };
        let ran = |name: &str, outcome: Outcome| TestResult { name: name.to_owned(), outcome };
        let results = [
            ran("a::passes", Outcome::Passed),
            ran("a::one::twin", Outcome::Passed),
            ran("a::two::twin", Outcome::Passed),
            ran("a::skips", Outcome::Skipped("no data here".to_owned())),
        ];
        assert_eq!(held(&claim(&["a::passes"]), &results), Ok(Outcome::Passed), "it ran");
        assert!(held(&claim(&["a::passes", "a::gone"]), &results).is_err(), "one did not run");
        assert!(held(&claim(&["a::twin"]), &results).is_err(), "one of two could go unseen");
        let skipped = held(&claim(&["a::passes", "a::skips"]), &results);
        assert!(matches!(skipped, Ok(Outcome::Skipped(_))), "what did not run shows nothing: {skipped:?}");
    }

    #[test]
    fn a_line_that_is_not_understood_is_an_error() {
        assert!(parse("[[claim]]\nbullets = \"x\"\n").is_err(), "a misspelt key must not be passed over");
    }
}
