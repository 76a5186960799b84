//! argv → [`Args`], as typed.

use std::path::PathBuf;

use clap::Parser;

/// Serve a directory in which every file is live.
///
/// Each file is also a stream of its own contents: new EventSource("/data.json") gets them now and again after every
/// save. Pages reload by themselves, and stylesheets are swapped in place.
#[derive(Clone, Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Args {
    /// The directory to serve
    #[arg(value_name = "DIR", default_value = ".")]
    pub directory: PathBuf,

    /// The port to listen on; 0 for any free one [default: 3000, or the next free one]
    #[arg(short, long, value_name = "N")]
    pub port: Option<u16>,

    /// The address to listen on; 0.0.0.0 shows the directory to the whole network
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub host: String,

    /// Another name under which this server is reached, such as that of a proxy; may be given again
    #[arg(long, value_name = "NAME", value_parser = host_name)]
    pub allow_host: Vec<String>,

    /// Open the browser
    #[arg(short, long)]
    pub open: bool,
}

/// A name as it stands in a `Host` header, without a port.
fn host_name(text: &str) -> Result<String, &'static str> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let is_address = text.starts_with('[') && text.ends_with(']');
    if !text.is_empty() && (is_address || text.bytes().all(is_name)) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("a name alone is needed, such as demo.example.org, without http:// and port")
    }
}
