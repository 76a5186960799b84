//! A file that is read in parts, line by line.

use std::fs::File;
use std::io;

use crate::content::lines;
use crate::content::lines::Mark;
use crate::source::directory::access;

/// A file that is read in parts.
#[derive(Debug)]
pub struct TailedFile {
    pub(super) open: File,
    /// Which file it is: another one in its place has another number.
    pub file: u64,
}

impl TailedFile {
    /// Up to `count` bytes from `position` on.
    ///
    /// # Errors
    ///
    /// If it can't be read.
    pub fn read(&self, position: u64, count: usize) -> io::Result<Vec<u8>> {
        let there = usize::try_from(self.length()?.saturating_sub(position)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; count.min(there)];
        let mut length = 0;
        while length < bytes.len() {
            // Without a place of its own in the file, because several may read it at once.
            match access::read_at(&self.open, &mut bytes[length..], position + length as u64) {
                Ok(0) => break,
                Ok(read) => length += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(length);
        Ok(bytes)
    }

    /// How many bytes it has now.
    ///
    /// # Errors
    ///
    /// If the system doesn't tell.
    pub fn length(&self) -> io::Result<u64> {
        Ok(self.open.metadata()?.len())
    }

    /// The place at `position`, which stands for what is before it.
    ///
    /// # Errors
    ///
    /// If it can't be read.
    pub fn mark(&self, position: u64) -> io::Result<Mark> {
        Ok(Mark::new(self.file, position, &self.before(position)?))
    }

    /// As much of what is before `position` as a [`Mark`] needs.
    ///
    /// # Errors
    ///
    /// If it can't be read.
    pub fn before(&self, position: u64) -> io::Result<Vec<u8>> {
        let start = position.saturating_sub(lines::CONTEXT);
        self.read(start, usize::try_from(position - start).unwrap_or(0))
    }
}
