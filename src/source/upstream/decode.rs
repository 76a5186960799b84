//! Undoes the coding of a body while it comes, with bounded memory.

use std::error::Error;
use std::io;
use std::pin::Pin;

use async_compression::tokio::bufread::BrotliDecoder;
use async_compression::tokio::bufread::GzipDecoder;
use async_compression::tokio::bufread::ZlibDecoder;
use async_compression::tokio::bufread::ZstdDecoder;
use bytes::Bytes;
use futures_util::Stream;
use futures_util::TryStreamExt;
use hyper::HeaderMap;
use hyper::header;
use tokio_util::io::ReaderStream;
use tokio_util::io::StreamReader;

/// How much comes out of a decoder at once, in bytes.
const PART: usize = 16 << 10;

/// A body in parts.
pub type Body = Pin<Box<dyn Stream<Item = io::Result<Bytes>>>>;

/// How a body is coded (RFC 9110, section 8.4.1; RFC 7932; RFC 8878).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// A coding that we don't know, or several.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownCoding;

impl Coding {
    /// How the body of this head is coded; `None` if it is not.
    ///
    /// # Errors
    ///
    /// If we can't undo it.
    pub fn of(headers: &HeaderMap) -> Result<Option<Self>, UnknownCoding> {
        let mut values = headers.get_all(header::CONTENT_ENCODING).iter();
        let (value, None) = (values.next(), values.next()) else { return Err(UnknownCoding) };
        let Some(value) = value else { return Ok(None) };
        match value.as_bytes().trim_ascii().to_ascii_lowercase().as_slice() {
            b"" | b"identity" => Ok(None),
            b"gzip" | b"x-gzip" => Ok(Some(Self::Gzip)),
            b"deflate" => Ok(Some(Self::Deflate)),
            b"br" => Ok(Some(Self::Brotli)),
            b"zstd" => Ok(Some(Self::Zstd)),
            _ => Err(UnknownCoding),
        }
    }
}

/// The body as it was before it was coded. What is in the decoder comes out whenever nothing more comes in.
pub fn decoded<E: Into<Box<dyn Error + Send + Sync>> + 'static>(
    body: impl Stream<Item = Result<Bytes, E>> + 'static,
    coding: Option<Coding>,
) -> Body {
    let body = body.map_err(io::Error::other);
    let Some(coding) = coding else { return Box::pin(body) };
    let reader = StreamReader::new(Box::pin(body));
    match coding {
        Coding::Gzip => {
            let mut decoder = GzipDecoder::new(reader);
            decoder.multiple_members(true);
            Box::pin(ReaderStream::with_capacity(decoder, PART))
        }
        Coding::Deflate => Box::pin(ReaderStream::with_capacity(ZlibDecoder::new(reader), PART)),
        Coding::Brotli => Box::pin(ReaderStream::with_capacity(BrotliDecoder::new(reader), PART)),
        Coding::Zstd => {
            let mut decoder = ZstdDecoder::new(reader);
            decoder.multiple_members(true);
            Box::pin(ReaderStream::with_capacity(decoder, PART))
        }
    }
}
