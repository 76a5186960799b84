//! `savecast.toml` → the same arguments that somebody could have typed.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::path::PathBuf;

use clap::ArgAction;
use clap::CommandFactory;
use clap::Parser;
use clap::error::ErrorKind;
use toml::Spanned;
use toml::de::DeTable;
use toml::de::DeValue;

use crate::cli::Args;
use crate::cli::MountArg;
use crate::cli::ProxyArg;
use crate::site::path::may_be_passed;

/// The name under which it is found.
pub const NAME: &str = "savecast.toml";

/// The table of directories.
const MOUNT: &str = "mount";

/// The table of servers, or the one server that has the whole site.
const PROXY: &str = "proxy";

/// The options whose files and directories are found from where this one is.
const HTTPS: &str = "https";
const WATCH: &str = "watch";
const TOKEN: &str = "publish-token-file";

/// Options that make no sense in a file.
const TYPED_ONLY: [&str; 4] = ["config", "help", "version", "no-open"];

/// How alike a key has to be to the one that was meant.
const ALIKE: f64 = 0.8;

const OUTSIDE: &str = "a file that was only found can't reach outside of its directory";

/// What is wrong with a line of it.
#[derive(Debug)]
pub struct FileError {
    /// From 1.
    pub line: usize,
    /// In words.
    pub message: String,
    /// What the person can do.
    pub hint: Option<String>,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// What the file says.
#[derive(Default)]
pub(super) struct Said {
    /// As arguments.
    pub(super) arguments: Vec<OsString>,
    pub(super) mounts: Vec<MountArg>,
    pub(super) proxies: Vec<ProxyArg>,
}

/// Reads the file.
pub(super) struct Reader<'a> {
    /// The file itself.
    pub(super) text: &'a str,
    /// The directory that it is in. Its paths begin there.
    pub(super) directory: &'a Path,
    /// Whether somebody has named it. Who has only been found can't reach outside of their directory.
    pub(super) is_named: bool,
}

impl Reader<'_> {
    /// What it says, but for what `is_typed` says that somebody has typed.
    pub(super) fn read(&self, is_typed: impl Fn(&str) -> bool) -> Result<Said, FileError> {
        let table = DeTable::parse(self.text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            self.error(at, error.message().to_owned())
        })?;
        let mut said = Said::default();
        for (key, value) in table.get_ref() {
            let name = key.get_ref().as_ref();
            let at = key.span().start;
            if name == MOUNT {
                said.mounts = self.mounts(value)?;
                continue;
            }
            if name == PROXY {
                said.proxies = self.proxies(value)?;
                continue;
            }
            let mut found = option(name, value).map_err(|message| self.error(at, message))?;
            if [HTTPS, WATCH, TOKEN].contains(&name) {
                found = self.files(name, found).map_err(|message| self.mistrusted(at, message))?;
            }
            if !self.is_named {
                check_reach(name, value).map_err(|message| self.mistrusted(at, message))?;
            }
            for argument in &found {
                judge(name, argument).map_err(|message| self.error(at, message))?;
            }
            if !is_typed(name) {
                said.arguments.extend(found);
            }
        }
        Ok(said)
    }

    fn mounts(&self, value: &Spanned<DeValue<'_>>) -> Result<Vec<MountArg>, FileError> {
        let wrong = |at| {
            self.error(
                at,
                format!("{MOUNT} is a table of paths and directories, such as \"/vendor\" = \"node_modules\""),
            )
        };
        let DeValue::Table(table) = value.get_ref() else { return Err(wrong(value.span().start)) };
        let mount = |(path, directory): (&Spanned<Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
            let at = path.span().start;
            let directory = self.directory.join(directory.get_ref().as_str().ok_or_else(|| wrong(at))?);
            let mount = MountArg::new(path.get_ref(), directory);
            let mount = mount.map_err(|message| self.error(at, format!("{MOUNT} {}: {message}", path.get_ref())))?;
            let shown = mount.directory.display().to_string();
            if let Err(error) = fs::read_dir(&mount.directory) {
                return Err(self.error(at, format!("{MOUNT} {}: cannot read {shown}: {error}", path.get_ref())));
            }
            if !self.is_named {
                let inside = self.check_inside(&mount.directory);
                inside.map_err(|message| self.mistrusted(at, format!("{MOUNT} {}: {message}", path.get_ref())))?;
            }
            Ok(mount)
        };
        table.iter().map(mount).collect()
    }

    fn proxies(&self, value: &Spanned<DeValue<'_>>) -> Result<Vec<ProxyArg>, FileError> {
        let at = value.span().start;
        if !self.is_named {
            return Err(self.mistrusted(at, "a file that was only found can't set a proxy".into()));
        }
        let wrong = |at| {
            let form = "is a URL, or a table of paths and URLs, such as \"/api\" = \"http://localhost:5000\"";
            self.error(at, format!("{PROXY} {form}"))
        };
        let proxy = |at, prefix: &str, server: &DeValue<'_>| {
            let server = server.as_str().ok_or_else(|| wrong(at))?;
            ProxyArg::new(prefix, server).map_err(|message| self.error(at, format!("{PROXY} {prefix}: {message}")))
        };
        match value.get_ref() {
            DeValue::Table(table) => table
                .iter()
                .map(|(prefix, server)| proxy(prefix.span().start, prefix.get_ref(), server.get_ref()))
                .collect(),
            server => Ok(vec![proxy(at, "/", server)?]),
        }
    }

    /// The same with files that are found from where this one is.
    fn files(&self, name: &str, arguments: Vec<OsString>) -> Result<Vec<OsString>, String> {
        let option = format!("--{name}=");
        let file = |argument: OsString| {
            let Some(file) = argument.to_str().and_then(|argument| argument.strip_prefix(&option)) else {
                return Ok(argument);
            };
            if !self.is_named && self.standing(Path::new(file)) == Standing::Outside {
                return Err(OUTSIDE.to_owned());
            }
            let file = self.directory.join(file);
            let mut argument = OsString::from(&option);
            argument.push(file);
            Ok(argument)
        };
        arguments.into_iter().map(file).collect()
    }

    fn mistrusted(&self, at: usize, message: String) -> FileError {
        let hint = format!("if you trust it, allow it with --config {NAME}");
        FileError { hint: Some(hint), ..self.error(at, message) }
    }

    fn check_inside(&self, directory: &Path) -> Result<(), String> {
        let inside = match self.standing(directory) {
            Standing::Inside(inside) => inside,
            Standing::Outside => return Err(OUTSIDE.into()),
            // That is another mistake, which is told later.
            Standing::Missing => return Ok(()),
        };
        if inside.iter().all(|segment| segment.to_str().is_some_and(may_be_passed)) {
            Ok(())
        } else {
            Err("a file that was only found can't show what is hidden".into())
        }
    }

    /// Where something really is.
    fn standing(&self, path: &Path) -> Standing {
        let (Ok(root), Ok(real)) = (self.directory.canonicalize(), self.directory.join(path).canonicalize()) else {
            return Standing::Missing;
        };
        real.strip_prefix(&root).map_or(Standing::Outside, |inside| Standing::Inside(inside.to_path_buf()))
    }

    fn error(&self, at: usize, message: String) -> FileError {
        let line = self.text.get(..at).unwrap_or_default().matches('\n').count() + 1;
        FileError { line, message, hint: None }
    }
}

/// Where something is that the file names.
#[derive(PartialEq, Eq)]
enum Standing {
    Inside(PathBuf),
    Outside,
    Missing,
}

/// The arguments that mean the same.
fn option(name: &str, value: &Spanned<DeValue<'_>>) -> Result<Vec<OsString>, String> {
    let command = Args::command();
    let names = command.get_arguments().filter_map(clap::Arg::get_long).filter(|long| !TYPED_ONLY.contains(long));
    let Some(option) =
        command.get_arguments().find(|option| option.get_long() == Some(name) && !TYPED_ONLY.contains(&name))
    else {
        let nearest = names.map(|known| (strsim::jaro_winkler(name, known), known)).max_by(|a, b| a.0.total_cmp(&b.0));
        return Err(match nearest {
            Some((alike, known)) if alike >= ALIKE => format!("{name} is no option; {known} is one"),
            _ => format!("{name} is no option; savecast --help lists them"),
        });
    };
    let is_flag = matches!(option.get_action(), ArgAction::SetTrue);
    let may_be_bare = option.get_num_args().is_some_and(|range| range.min_values() == 0);
    let text = |value: &DeValue<'_>| match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.as_str().to_owned()),
        _ => None,
    };
    let bare = || OsString::from(format!("--{name}"));
    let with = |value: String| OsString::from(format!("--{name}={value}"));
    match value.get_ref() {
        DeValue::Boolean(false) if is_flag || may_be_bare => Ok(Vec::new()),
        DeValue::Boolean(true) if is_flag || may_be_bare => Ok(vec![bare()]),
        _ if is_flag => Err(format!("{name} is true or false")),
        DeValue::Array(list) if list.is_empty() && name == HTTPS => {
            Err(format!("{name} is true, or a list of two files: the certificate and its key"))
        }
        DeValue::Array(list) if matches!(option.get_action(), ArgAction::Append) => {
            let texts = list.iter().map(|one| text(one.get_ref())).collect::<Option<Vec<_>>>();
            texts.map(|texts| texts.into_iter().map(with).collect()).ok_or_else(|| format!("{name} is a list of texts"))
        }
        one => text(one).map(|text| vec![with(text)]).ok_or_else(|| {
            let names = option.get_value_names().and_then(|names| names.first()).map_or("value", |name| name.as_str());
            let list = if matches!(option.get_action(), ArgAction::Append) { ", or a list of them" } else { "" };
            format!("{name} needs a text or a number ({names}){list}, and not {}", kind(one))
        }),
    }
}

/// What a directory says of itself can't reach outside of it: somebody may just have cloned it.
fn check_reach(name: &str, value: &Spanned<DeValue<'_>>) -> Result<(), String> {
    let texts = match value.get_ref() {
        DeValue::Array(list) => list.iter().filter_map(|one| one.get_ref().as_str()).collect::<Vec<_>>(),
        one => one.as_str().into_iter().collect(),
    };
    match (name, value.get_ref()) {
        ("host" | "cors", DeValue::Boolean(false)) => Ok(()),
        ("host", _) if !texts.is_empty() && texts.iter().all(|host| is_loopback(host)) => Ok(()),
        ("host", _) => Err("a file that was only found can't show the directory to others".into()),
        ("relay" | "relay-site", _) => Err("a file that was only found can't connect to other instances".into()),
        ("allow-host", _) => Err("a file that was only found can't allow other names".into()),
        ("cors", _) if !texts.is_empty() && texts.iter().all(|origin| is_loopback(host_of(origin))) => Ok(()),
        ("cors", _) => Err("a file that was only found can't allow pages of other machines".into()),
        _ => Ok(()),
    }
}

/// Whether the argument would be taken if it was typed.
fn judge(name: &str, argument: &OsString) -> Result<(), String> {
    let Err(error) = Args::try_parse_from([&OsString::from("savecast"), argument]) else { return Ok(()) };
    // What else has to be there is seen when all of it is read.
    if error.kind() == ErrorKind::MissingRequiredArgument {
        return Ok(());
    }
    let text = error.to_string();
    // `error: invalid value 'x' for '--port <N>': invalid digit found in string`
    let first = text.lines().next().unwrap_or_default();
    let why = first.rsplit_once("': ").map_or(first, |(_, why)| why);
    Err(format!("{name}: {why}"))
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::Boolean(_) => "true or false",
        DeValue::Table(_) => "a table",
        DeValue::Array(_) => "a list",
        DeValue::Float(_) => "a fraction",
        DeValue::Datetime(_) => "a date",
        DeValue::String(_) | DeValue::Integer(_) => "this",
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// The host in an origin, without its port.
fn host_of(origin: &str) -> &str {
    let host = origin.split("://").nth(1).unwrap_or_default().trim_end_matches('/');
    let end = host.rfind(':').filter(|colon| !host[*colon..].contains(']')).unwrap_or(host.len());
    &host[..end]
}
