//! Stories on the built binary: a folder, a save, and what arrives.

#![expect(clippy::print_stderr, reason = "what the server says belongs to the output of a test")]

mod architecture;
#[cfg(unix)]
mod attacks;
#[cfg(target_os = "linux")]
mod bounds;
mod channels;
#[cfg(unix)]
mod edges;
#[cfg(target_os = "linux")]
mod failing;
mod forms;
mod guarding;
mod hosting;
#[cfg(unix)]
mod https;
mod lines;
mod looking;
mod options;
#[cfg(target_os = "linux")]
mod passing;
#[cfg(target_os = "linux")]
mod patterns;
mod pointing;
mod polling;
#[cfg(unix)]
mod proxying;
#[cfg(unix)]
mod redis;
#[cfg(unix)]
mod relaying;
#[cfg(unix)]
mod replacing;
mod rotation;
mod saving;
mod secure;
mod serving;
#[cfg(unix)]
mod soak;
mod starting;
mod streaming;
mod support;
#[cfg(unix)]
mod upstream;
mod watching;
mod websocket;
#[cfg(unix)]
mod wire;
