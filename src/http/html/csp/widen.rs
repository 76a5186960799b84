//! Policies become policies that allow what the client does, and nothing more. (Content Security Policy Level 3; Trusted Types;
//! what Chromium makes of it was measured.)

use crate::http::html::csp::directive;

/// What decides over scripts, over workers and over requests: the first of these that a policy has.
const SCRIPTS: [&str; 3] = ["script-src-elem", "script-src", "default-src"];
const WORKERS: [&str; 4] = ["worker-src", "child-src", "script-src", "default-src"];
const REQUESTS: [&str; 2] = ["connect-src", "default-src"];

/// The name of our policy for trusted types, which the client makes.
const TRUSTED: &str = "savecast";

/// What the client needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Needs<'a> {
    /// Where its own scripts, its worker and its stream are.
    pub(crate) ours: &'a str,
    /// What else it asks for.
    pub(crate) page: &'a str,
}

/// Where the client is, in the words of a policy. It has no name for an address but that of this machine: then it is the whole site.
pub(crate) fn ours(host: &str, path: &str) -> String {
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    let name = name.map_or(host, |(name, _)| name);
    let is_address = name.starts_with('[') || name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if name.is_empty() || (is_address && name != "127.0.0.1") {
        return "'self'".to_owned();
    }
    // They end a source, or a policy.
    format!("{host}{}", path.replace(';', "%3B").replace(',', "%2C"))
}

/// The nonce that the script of the client has to have: one for all policies, as a tag has one. `make` makes one, where only a nonce is
/// believed and the page has none.
#[cfg(feature = "cli")]
pub(crate) fn nonce<'a>(
    policies: impl Iterator<Item = &'a str> + Clone,
    make: impl FnOnce() -> String,
) -> Option<String> {
    let lists =
        policies.flat_map(|policies| policies.split(',')).filter_map(|policy| Some(directive(policy, &SCRIPTS)?.1));
    let said = lists.clone().find_map(|list| list.iter().find_map(|source| nonce_in(source)).map(str::to_owned));
    said.or_else(|| lists.clone().any(|list| is_strict(&list)).then(make))
}

/// Whether a policy lets no script run at all.
#[cfg(feature = "cli")]
pub(crate) fn forbids_scripts(policies: &str) -> bool {
    policies.split(',').any(|policy| {
        directive(policy, &["sandbox"])
            .is_some_and(|(_, list)| !list.iter().any(|word| word.eq_ignore_ascii_case("allow-scripts")))
    })
}

/// The policies of a header, widened. The script has this nonce.
pub(crate) fn widen(policies: &str, needs: Needs<'_>, nonce: Option<&str>) -> String {
    let widened =
        policies.split(',').map(|policy| {
            let mut policy = policy.trim().to_owned();
            let before = policy.clone();
            allow(&mut policy, &before, &SCRIPTS, |list| match (is_strict(list), nonce) {
                // URLs count for nothing there. What a script with a nonce imports, it may.
                (true, Some(nonce)) => vec![format!("'nonce-{nonce}'")],
                _ => vec![needs.ours.to_owned()],
            });
            allow(&mut policy, &before, &WORKERS, |list| {
                if is_strict(list) { Vec::new() } else { vec![needs.ours.to_owned()] }
            });
            allow(&mut policy, &before, &REQUESTS, |_| match needs {
                // It is all of this site.
                Needs { page: "'self'", .. } => vec![needs.page.to_owned()],
                Needs { ours, page } => vec![ours.to_owned(), page.to_owned()],
            });
            if let Some((written, names)) = directive(&policy, &["trusted-types"])
                && !names.iter().any(|name| ["*", TRUSTED].contains(name))
            {
                let kept = names.iter().filter(|name| !name.eq_ignore_ascii_case("'none'")).copied();
                let list = kept.chain([TRUSTED]).collect::<Vec<_>>().join(" ");
                policy = policy.replacen(written, &format!("trusted-types {list}"), 1);
            }
            policy
        });
    widened.collect::<Vec<_>>().join(", ")
}

/// Policies without the wish that all be asked for with TLS (W3C Upgrade Insecure Requests).
#[cfg(feature = "cli")]
pub(crate) fn without_upgrades(policies: &str) -> String {
    let is_kept = |directive: &&str| {
        let name = directive.split_ascii_whitespace().next().unwrap_or_default();
        !["upgrade-insecure-requests", "block-all-mixed-content"].iter().any(|other| name.eq_ignore_ascii_case(other))
    };
    let without = |policy: &str| policy.split(';').filter(is_kept).collect::<Vec<_>>().join(";").trim().to_owned();
    policies.split(',').map(without).collect::<Vec<_>>().join(", ")
}

/// The destinations of `Integrity-Policy` without scripts: ours has no hash in the page (W3C Subresource Integrity).
#[cfg(feature = "cli")]
pub(crate) fn without_scripts(policy: &str) -> String {
    let Some(start) = policy.find("blocked-destinations=(") else { return policy.to_owned() };
    let start = start + "blocked-destinations=(".len();
    let end = policy[start..].find(')').map_or(policy.len(), |end| start + end);
    let kept =
        policy[start..end].split_ascii_whitespace().filter(|word| *word != "script").collect::<Vec<_>>().join(" ");
    format!("{}{kept}{}", &policy[..start], &policy[end..])
}

/// Adds sources to what decides over something, in a directive of its own: what others fall back on stays as it is.
fn allow(policy: &mut String, before: &str, names: &[&str], add: impl Fn(&[&str]) -> Vec<String>) {
    let Some((written, list)) = directive(before, names) else { return };
    let is_allowed = |source: &str| {
        list.iter().any(|allowed| {
            *allowed == source
                || (!source.starts_with("'nonce-") && (*allowed == "*" || allowed.eq_ignore_ascii_case("'self'")))
        })
    };
    let mut missing = add(&list).into_iter().filter(|source| !is_allowed(source)).collect::<Vec<_>>();
    missing.dedup();
    if missing.is_empty() {
        return;
    }
    let name = written.split_ascii_whitespace().next().unwrap_or_default();
    let is_own = name.eq_ignore_ascii_case(names[0]);
    // Nonces and hashes mean something for scripts alone.
    let is_for_scripts = names[0] == SCRIPTS[0];
    let is_kept = |source: &&str| {
        let word = source.to_ascii_lowercase();
        word != "'none'" && (is_own || is_for_scripts || !word.starts_with('\'') || word == "'self'")
    };
    let sources = list.iter().copied().filter(is_kept).map(str::to_owned).chain(missing).collect::<Vec<_>>().join(" ");
    if is_own {
        *policy = policy.replacen(written, &format!("{name} {sources}"), 1);
    } else {
        *policy = format!("{policy}; {} {sources}", names[0]);
    }
}

/// Whether URLs count for nothing in a list of scripts: trust goes from script to script.
fn is_strict(list: &[&str]) -> bool {
    list.iter().any(|source| source.eq_ignore_ascii_case("'strict-dynamic'"))
}

#[cfg(feature = "cli")]
fn nonce_in(source: &str) -> Option<&str> {
    let is_nonce = source.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("'nonce-"));
    source.get(7..)?.strip_suffix('\'').filter(|_| is_nonce)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "h:1/_savecast/";
    const PAGE: &str = "h:1/page";

    #[track_caller]
    fn check(policy: &str, expected: &str) {
        let made = nonce([policy].into_iter(), || "MADE".to_owned());
        let widened = widen(policy, Needs { ours: OURS, page: PAGE }, made.as_deref());
        let sorted = |policy: &str| {
            let mut parts = policy.split("; ").map(str::to_owned).collect::<Vec<_>>();
            parts.sort();
            parts
        };
        assert_eq!(sorted(&widened), sorted(expected), "{policy}");
    }

    #[test]
    fn a_policy_is_widened_by_what_the_client_needs() {
        check("default-src 'self'", "default-src 'self'");
        check("img-src 'none'", "img-src 'none'");
        check("script-src 'self'; connect-src *", "script-src 'self'; connect-src *");
        check("script-src 'none'", &format!("script-src 'none'; script-src-elem {OURS}; worker-src {OURS}"));
        check(
            "default-src 'none'; style-src 'self'",
            &format!(
                "default-src 'none'; style-src 'self'; script-src-elem {OURS}; worker-src {OURS}; connect-src {OURS} {PAGE}"
            ),
        );
        check(
            "script-src 'nonce-a'",
            &format!("script-src 'nonce-a'; script-src-elem 'nonce-a' {OURS}; worker-src {OURS}"),
        );
        check("script-src 'nonce-a' 'strict-dynamic'", "script-src 'nonce-a' 'strict-dynamic'");
        check(
            "script-src 'sha256-A' 'strict-dynamic' 'unsafe-eval'; worker-src 'none'",
            &format!(
                "script-src 'sha256-A' 'strict-dynamic' 'unsafe-eval'; script-src-elem 'sha256-A' 'strict-dynamic' 'unsafe-eval' 'nonce-MADE'; worker-src {OURS}"
            ),
        );
        // A nonce would switch off what the page lives on.
        check(
            "script-src 'unsafe-inline' https://cdn.example",
            &format!(
                "script-src 'unsafe-inline' https://cdn.example; script-src-elem 'unsafe-inline' https://cdn.example {OURS}; worker-src https://cdn.example {OURS}"
            ),
        );
        check("connect-src https://api.example", &format!("connect-src https://api.example {OURS} {PAGE}"));
        check(
            "require-trusted-types-for 'script'; trusted-types dompurify",
            "require-trusted-types-for 'script'; trusted-types dompurify savecast",
        );
        check("trusted-types 'none'", "trusted-types savecast");
        check("require-trusted-types-for 'script'", "require-trusted-types-for 'script'");
        check(
            "default-src 'self', script-src 'none'",
            &format!("default-src 'self', script-src 'none'; script-src-elem {OURS}; worker-src {OURS}"),
        );
    }

    #[test]
    fn one_nonce_is_for_all_policies() {
        let policies = ["script-src 'nonce-a'", "script-src 'strict-dynamic' 'sha256-B'"];
        let nonce = nonce(policies.into_iter(), || unreachable!()).unwrap();
        assert_eq!(nonce, "a");
        let widened = widen(policies[1], Needs { ours: OURS, page: PAGE }, Some(&nonce));
        assert!(widened.contains("script-src-elem 'strict-dynamic' 'sha256-B' 'nonce-a'"), "{widened}");
    }

    #[test]
    fn a_policy_has_no_name_for_most_addresses() {
        for (host, expected) in [
            ("localhost:3000", "localhost:3000/_savecast/"),
            ("127.0.0.1:3000", "127.0.0.1:3000/_savecast/"),
            ("192.168.1.5:3000", "'self'"),
            ("[::1]:3000", "'self'"),
            ("app.test", "app.test/_savecast/"),
        ] {
            assert_eq!(ours(host, "/_savecast/"), expected);
        }
        assert_eq!(ours("a:1", "/b;c,d"), "a:1/b%3Bc%2Cd");
    }

    #[test]
    fn without_tls_nothing_is_upgraded() {
        let policies = "default-src 'self'; Upgrade-Insecure-Requests; img-src *, block-all-mixed-content";
        assert_eq!(without_upgrades(policies), "default-src 'self'; img-src *, ");
    }

    #[test]
    fn a_sandbox_may_forbid_scripts() {
        assert!(forbids_scripts("default-src 'self', sandbox allow-forms"));
        assert!(!forbids_scripts("sandbox allow-scripts") && !forbids_scripts("default-src 'none'"));
        assert_eq!(
            without_scripts("blocked-destinations=(script style), endpoints=(a)"),
            "blocked-destinations=(style), endpoints=(a)"
        );
        assert_eq!(without_scripts("endpoints=(script)"), "endpoints=(script)");
    }
}
