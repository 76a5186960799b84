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
    #[arg(long, value_name = "NAME")]
    pub allow_host: Vec<String>,

    /// Open the browser
    #[arg(short, long)]
    pub open: bool,
}
