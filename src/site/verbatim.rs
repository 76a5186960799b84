//! Two ways to write a path of Windows: `C:\site`, as people and links do, and `\\?\C:\site`, which is what
//! [`canonicalize`](std::path::Path::canonicalize) gives, because it holds for names of any length. Microsoft's "Naming Files, Paths,
//! and Namespaces" describes both. Pure: it reads the text alone, and no other system has such paths.

use std::borrow::Cow;
use std::path::Path;

/// As people write it: `C:\site` for `\\?\C:\site`, and `\\server\site` for `\\?\UNC\server\site`.
pub(crate) fn plain(path: &Path) -> Cow<'_, Path> {
    let text = path.to_str().filter(|_| cfg!(windows)).and_then(plain_text);
    text.map_or(Cow::Borrowed(path), |text| Cow::Owned(text.into()))
}

/// As the system writes it: `\\?\C:\site` for `C:\site`, and `\\?\UNC\server\site` for `\\server\site`.
pub(crate) fn verbatim(path: &Path) -> Cow<'_, Path> {
    let text = path.to_str().filter(|_| cfg!(windows)).and_then(verbatim_text);
    text.map_or(Cow::Borrowed(path), |text| Cow::Owned(text.into()))
}

/// `None` where it stays as it is.
fn plain_text(path: &str) -> Option<String> {
    let rest = path.strip_prefix(r"\\?\")?;
    match rest.strip_prefix(r"UNC\") {
        Some(share) => Some(format!(r"\\{share}")),
        None => is_on_drive(rest).then(|| rest.to_owned()),
    }
}

/// `None` where it stays as it is.
fn verbatim_text(path: &str) -> Option<String> {
    // In the other form, a slash would be part of a name.
    let path = path.replace('/', r"\");
    match path.strip_prefix(r"\\") {
        // It has this form already, or names a device.
        Some(share) if share.starts_with(['?', '.']) => None,
        Some(share) => Some(format!(r"\\?\UNC\{share}")),
        None => is_on_drive(&path).then(|| format!(r"\\?\{path}")),
    }
}

/// Whether it begins with a drive and its root.
fn is_on_drive(path: &str) -> bool {
    matches!(path.as_bytes(), [drive, b':', b'\\', ..] if drive.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_becomes_the_other() {
        for (plain, verbatim) in [
            (r"C:\", r"\\?\C:\"),
            (r"c:\site\a.txt", r"\\?\c:\site\a.txt"),
            (r"\\server\share\a", r"\\?\UNC\server\share\a"),
        ] {
            assert_eq!(verbatim_text(plain).as_deref(), Some(verbatim));
            assert_eq!(plain_text(verbatim).as_deref(), Some(plain));
            assert_eq!(verbatim_text(verbatim), None);
            assert_eq!(plain_text(plain), None);
        }
        assert_eq!(verbatim_text("C:/site/a").as_deref(), Some(r"\\?\C:\site\a"));
        for other in ["a", r"a\b", r"\a", r"C:", r"C:a", r"\\.\pipe\a", r"\\?\pipe\a", "/srv/site", "é:\\"] {
            assert_eq!((verbatim_text(other), plain_text(other)), (None, None), "{other}");
        }
    }

    #[cfg(not(windows))]
    #[test]
    fn elsewhere_these_are_names() {
        for name in [r"\\?\C:\a", r"C:\a"] {
            assert_eq!((&*plain(Path::new(name)), &*verbatim(Path::new(name))), (Path::new(name), Path::new(name)));
        }
    }
}
