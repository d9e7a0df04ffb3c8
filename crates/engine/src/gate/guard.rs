//! Guards: who may pass. Decided here where claims tell, by the binding where they do not.

use serde_json::Value;

use super::identity::Identity;
use super::scheme::Scheme;
use super::spec::Guard;

/// What is known so far of a guard's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Pass.
    Yes,
    /// Do not.
    No,
    /// The binding must be asked first; the evaluation is then repeated.
    Ask(usize),
}

impl From<bool> for Verdict {
    fn from(permitted: bool) -> Self {
        if permitted { Self::Yes } else { Self::No }
    }
}

/// What the binding has answered so far, by callback.
pub(crate) type Known = Vec<(usize, bool)>;

/// Evaluates `guard` as far as `known` allows; what need not be asked for the answer is not asked.
pub(crate) fn evaluate(
    guard: &Guard,
    identity: &Identity,
    scheme: Option<&Scheme>,
    known: &Known,
) -> Verdict {
    let ask = |callback: usize| match known.iter().find(|(number, _)| *number == callback) {
        Some((_, permitted)) => (*permitted).into(),
        None => Verdict::Ask(callback),
    };
    match guard {
        Guard::Anyone => Verdict::Yes,
        Guard::Authenticated => identity.is_authenticated().into(),
        Guard::Staff { callback } => match scheme.and_then(Scheme::staff_claim) {
            _ if !identity.is_authenticated() => Verdict::No,
            Some(claim) => (identity.claim(claim) == Some(&Value::Bool(true))).into(),
            None => ask(*callback),
        },
        Guard::Permission { code, callback } => match scheme.and_then(Scheme::permissions_claim) {
            _ if !identity.is_authenticated() => Verdict::No,
            Some(claim) => lists(identity.claim(claim), code).into(),
            None => ask(*callback),
        },
        Guard::Scope { scope: wanted } => {
            let claim = scheme.map_or("scope", Scheme::scope_claim);
            lists(identity.claim(claim), wanted).into()
        }
        Guard::Claim { name, values } => has_claim(identity.claim(name), values).into(),
        Guard::Ask { callback } => ask(*callback),
        Guard::All(of) => first_unlike(of, identity, scheme, known, Verdict::Yes),
        Guard::Any(of) => first_unlike(of, identity, scheme, known, Verdict::No),
        Guard::Not(of) => match evaluate(of, identity, scheme, known) {
            Verdict::Yes => Verdict::No,
            Verdict::No => Verdict::Yes,
            unknown => unknown,
        },
    }
}

/// `usual` where all answers are it. What decides without asking comes before what has to be asked.
fn first_unlike(
    of: &[Guard],
    identity: &Identity,
    scheme: Option<&Scheme>,
    known: &Known,
    usual: Verdict,
) -> Verdict {
    let mut asked = None;
    for guard in of {
        match evaluate(guard, identity, scheme, known) {
            verdict if verdict == usual => {}
            Verdict::Ask(callback) => asked = asked.or(Some(Verdict::Ask(callback))),
            decisive => return decisive,
        }
    }
    asked.unwrap_or(usual)
}

/// Whether a list of texts, or texts parted by spaces (RFC 8693 §4.2), has `wanted`.
fn lists(claim: Option<&Value>, wanted: &str) -> bool {
    match claim {
        Some(Value::String(text)) => text.split(' ').any(|one| one == wanted),
        Some(Value::Array(items)) => items.iter().any(|item| item.as_str() == Some(wanted)),
        _ => false,
    }
}

/// A list has a value where one of its items is it.
fn has_claim(claim: Option<&Value>, values: &[Value]) -> bool {
    match claim {
        None | Some(Value::Null) => false,
        Some(_) if values.is_empty() => true,
        Some(Value::Array(items)) => items.iter().any(|item| values.contains(item)),
        Some(value) => values.contains(value),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use plectrum_http::Bytes;
    use serde_json::json;

    use super::*;

    fn known_as(claims: &Value) -> Identity {
        Identity::new(0, None, Bytes::from(claims.to_string()))
    }

    fn verdict(guard: Value, identity: &Identity, known: &Known) -> Verdict {
        let guard: Guard = serde_json::from_value(guard).unwrap();
        evaluate(&guard, identity, None, known)
    }

    #[test]
    fn scopes_are_parted_by_spaces_or_listed() {
        let read = json!({"scope": {"scope": "read"}});
        for (claims, passes) in [
            (json!({"scope": "read write"}), true),
            (json!({"scope": ["write", "read"]}), true),
            (json!({"scope": "readwrite"}), false),
            (json!({"scope": ["read write"]}), false),
            (json!({"scope": 1}), false),
            (json!({}), false),
        ] {
            assert_eq!(verdict(read.clone(), &known_as(&claims), &vec![]), passes.into(), "{claims}");
        }
    }

    #[test]
    fn a_claim_is_there_or_has_one_of_the_values() {
        let identity = known_as(&json!({"tier": "gold", "groups": ["a", "b"], "none": null, "n": 2}));
        let claim = |name: &str, values: Value| {
            let guard = json!({"claim": {"name": name, "values": values}});
            verdict(guard, &identity, &vec![]) == Verdict::Yes
        };
        assert!(claim("tier", json!([])) && claim("tier", json!(["silver", "gold"])));
        assert!(claim("groups", json!(["b"])) && claim("n", json!([2])));
        assert!(
            !claim("tier", json!(["silver"])) && !claim("none", json!([])) && !claim("groups", json!(["c"]))
        );
        assert!(!claim("n", json!(["2"])));
    }

    #[test]
    fn only_what_the_answer_needs_is_asked() {
        let (nobody, ask) = (Identity::anonymous(), |number: usize| json!({"ask": {"callback": number}}));
        let all = json!({"all": ["authenticated", ask(7)]});
        assert_eq!(verdict(all.clone(), &nobody, &vec![]), Verdict::No);
        assert_eq!(verdict(all.clone(), &known_as(&json!({})), &vec![]), Verdict::Ask(7));
        assert_eq!(verdict(all, &known_as(&json!({})), &vec![(7, true)]), Verdict::Yes);
        let any = json!({"any": [ask(1), ask(2)]});
        assert_eq!(verdict(any.clone(), &nobody, &vec![(1, true)]), Verdict::Yes);
        assert_eq!(verdict(any.clone(), &nobody, &vec![(1, false)]), Verdict::Ask(2));
        let not = json!({"not": any});
        assert_eq!(verdict(not.clone(), &nobody, &vec![]), Verdict::Ask(1));
        assert_eq!(verdict(not, &nobody, &vec![(1, false), (2, false)]), Verdict::Yes);
    }
}
