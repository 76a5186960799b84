//! Stories on the built binary: a folder, a save, and what arrives.

mod architecture;
mod failing;
mod guarding;
mod saving;
mod serving;
mod starting;
mod streaming;
mod support;
mod watching;
