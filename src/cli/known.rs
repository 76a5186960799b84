//! Options of other tools that people type, and what does the same here.

/// The options, the tools that have them, and what to do here.
const KNOWN: [(&[&str], &str, &str); 50] = [
    (&["-q"], "live-server", "savecast --quiet"),
    (&["-v"], "many servers", "savecast --verbose says each request, savecast --version its version"),
    (&["-d"], "http-server and python", "savecast DIR serves a directory; an index.html takes the place of a listing"),
    (&["-m"], "python", "savecast DIR --port N is all"),
    (
        &["--hot", "--live-reload", "--livereload", "--livereload-port", "--reload", "--live"],
        "many servers",
        "nothing is needed: all that a page uses is live",
    ),
    (&["--auth"], "many servers", "there are no passwords; without --host, nobody but this machine gets in"),
    (&["--dotfiles", "--plugins"], "browser-sync and http-server", "there is nothing of this kind"),
    (&["--wait"], "live-server", "nothing is needed: a save is shown as soon as it is complete"),
    (
        &["--reload-delay", "--reload-debounce", "--reload-throttle"],
        "browser-sync",
        "nothing is needed: a save is shown as soon as it is complete, and many at once reload a page once",
    ),
    (&["--entry-file", "--file"], "live-server", "savecast --spa answers with /index.html where a page doesn't exist"),
    (&["--single"], "serve and browser-sync", "savecast --spa answers with /index.html where a page doesn't exist"),
    (
        &["-s", "--silent"],
        "serve and http-server",
        "savecast --spa serves a single-page app, savecast --quiet says little",
    ),
    (&["--no-browser"], "live-server", "nothing is needed: a browser is opened only with --open"),
    (
        &["--browser"],
        "live-server and browser-sync",
        "savecast --open opens your usual browser; on Linux, BROWSER=NAME chooses another",
    ),
    (&["--startPath", "--start-path"], "browser-sync", "savecast --open=/PATH"),
    (
        &["-w", "--files", "-f"],
        "live-server and browser-sync",
        "nothing is needed: what a page uses is watched; --ignore GLOB leaves files out",
    ),
    (&["--ignorePattern", "--ignore-pattern"], "live-server", "savecast --ignore GLOB"),
    (
        &["--no-css-inject", "--no-inject-changes"],
        "live-server and browser-sync",
        "<html data-savecast=\"reload\"> has a page loaded again for each change",
    ),
    (&["--middleware"], "live-server", "there are no middlewares; _headers and _redirects cover the usual ones"),
    (
        &["--https-module", "--ssl", "--tls", "-S", "-C", "-K", "--cert", "--ssl-cert", "--ssl-key"],
        "many servers",
        "savecast --https makes a certificate for this machine, savecast --https CERT KEY takes yours",
    ),
    (&["-P", "--proxy-options"], "http-server", "savecast --proxy URL, or --proxy /PATH=URL"),
    (
        &["--htpasswd", "--username", "--password"],
        "live-server and http-server",
        "there are no passwords; without --host, nobody but this machine gets in",
    ),
    (
        &[
            "--no-notify",
            "--no-ui",
            "--ui-port",
            "--no-ghost-mode",
            "--ghostMode",
            "--ghost-mode",
            "--ui",
            "--notify",
            "--no-online",
            "--no-snippet",
        ],
        "browser-sync",
        "nothing is needed: there is nothing to switch off",
    ),
    (
        &["--server", "--serve", "--root", "--dir", "--directory", "--cwd", "-t", "--outDir"],
        "browser-sync, python and php",
        "savecast DIR serves a directory, and one without an index shows its listing",
    ),
    (&["--serveStatic", "--ss", "--static"], "browser-sync", "savecast --mount /PATH=DIR"),
    (
        &["--extensions", "--ext", "-e", "--cleanUrls", "--clean-urls"],
        "browser-sync and http-server",
        "nothing is needed: /about is about.html",
    ),
    (&["--index"], "browser-sync", "nothing is needed: the page of a directory is its index.html"),
    (
        &["--tunnel"],
        "browser-sync",
        "savecast --host shows the directory in your network; for a tunnel, allow its name with --allow-host NAME",
    ),
    (&["--logLevel", "--log-level", "--loglevel"], "browser-sync", "savecast --verbose says more, --quiet less"),
    (
        &["--logPrefix", "--log-prefix", "--logFileChanges", "--logConnections"],
        "browser-sync",
        "savecast --log json is for programs",
    ),
    (&["--debug"], "serve", "savecast --verbose"),
    (&["--listen", "-l"], "serve and browser-sync", "savecast --port N --host ADDRESS"),
    (&["--address", "-a", "--bind", "-b"], "http-server and python", "savecast --host ADDRESS"),
    (
        &["--no-port-switching", "--strictPort", "--strict-port"],
        "serve and vite",
        "nothing is needed: a --port that is taken is an error",
    ),
    (
        &["-c", "-c-1", "--cache", "--no-cache"],
        "http-server and serve",
        "browsers ask for each file again anyway; --config FILE names a file with options",
    ),
    (
        &["-g", "--gzip", "--brotli", "-z"],
        "http-server",
        "savecast --compress; for other machines, answers are compressed anyway",
    ),
    (&["--no-compression", "-u"], "serve", "nothing is needed: on this machine, nothing is compressed"),
    (&["--no-request-logging", "-L"], "serve", "nothing is needed: requests are said only with --verbose"),
    (&["--no-clipboard", "-n"], "serve", "nothing is needed: the clipboard is left alone"),
    (&["--no-etag"], "serve", "there is always an ETag: it is what a page has"),
    (&["--symlinks"], "serve", "nothing is needed: links inside of the directory are followed"),
    (&["--no-dotfiles"], "http-server", "nothing is needed: names that begin with a dot are never served"),
    (&["--mimetypes"], "http-server", "_headers in the directory sets a Content-Type"),
    (&["--robots", "-r", "--utc", "-U", "--log-ip", "--timeout"], "http-server", "there is nothing of this kind"),
    (&["--no-dir-listing", "-i"], "http-server", "an index.html in a directory takes the place of its listing"),
    (&["--cgi"], "python", "nothing of a directory is run"),
    (&["--protocol"], "python", "nothing is needed: it is HTTP/1.1"),
    (&["--force", "--clearScreen", "--mode"], "vite", "nothing is needed: nothing is built"),
    (&["--run", "--exec"], "later versions", "this is not there yet"),
    (
        &["--inject-body", "--highlight", "--navigate", "--remote-logs", "--use-local-ip", "--workers"],
        "five-server",
        "there is nothing of this kind; savecast --host shows the addresses in your network",
    ),
];

/// What to say to somebody who has typed this option, as they have typed it, and what they can do. `None` if no tool is known to
/// have it.
#[must_use]
pub fn advice(typed: &str) -> Option<(String, &'static str)> {
    let name = typed.split('=').next().unwrap_or_default();
    let (_, tools, words) = KNOWN.iter().find(|(names, ..)| names.contains(&name))?;
    Some((format!("{name} is an option of {tools}"), *words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn what_we_have_ourselves_is_not_advised() {
        let command = crate::cli::Args::command();
        let ours = command.get_arguments().flat_map(|argument| {
            let short = argument.get_short().map(|short| format!("-{short}"));
            short.into_iter().chain(argument.get_long().map(|long| format!("--{long}")))
        });
        let ours = ours.filter(|ours| advice(ours).is_some()).collect::<Vec<_>>();
        assert!(ours.is_empty(), "{ours:?}");
    }

    #[test]
    fn each_stands_once() {
        let mut names = KNOWN.iter().flat_map(|(names, ..)| names.iter()).collect::<Vec<_>>();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn the_value_makes_no_difference() {
        assert!(advice("--entry-file=index.html").is_some_and(|(_, hint)| hint.contains("--spa")));
        assert_eq!(advice("--no-such-thing"), None);
    }
}
