//! What the other side of a WebSocket sends (RFC 6455, section 5). Pure, and nothing of it is kept but a control frame, which
//! has 125 bytes at most.
//!
//! The codec of actix collects each frame before it looks at its size. We have nothing to hear but pings, pongs and the
//! close, so messages are passed over while they arrive.

/// The largest frame that is passed over, in bytes. Who announces more is not talking to us.
const LARGEST: u64 = 64 << 10;

/// The largest control frame (RFC 6455, section 5.5).
const CONTROL: u64 = 125;

/// What is worth an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// Is to be answered with the same bytes.
    Ping(Vec<u8>),
    /// The other side reads.
    Pong,
    /// The other side has nothing more to say.
    Close,
}

/// Why the other side is not heard any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameError {
    /// This is no frame of a client.
    Malformed,
    /// It announces more than anybody reads.
    TooLarge,
}

/// Where in the frames the next byte belongs.
#[derive(Default)]
pub(crate) struct Reader {
    /// What has come of the header.
    header: Vec<u8>,
    frame: Option<Frame>,
    /// Whether a message has begun and not ended.
    is_in_message: bool,
}

/// A frame whose header is complete.
struct Frame {
    opcode: u8,
    mask: [u8; 4],
    /// How many bytes are still to come.
    rest: usize,
    /// Those of a control frame that have come, without the mask.
    control: Vec<u8>,
}

const CLOSE: u8 = 8;
const PING: u8 = 9;

impl Reader {
    /// Takes from `bytes` what belongs to the next thing that is worth an answer; `None` when there is nothing more in them.
    pub(crate) fn next(&mut self, bytes: &mut &[u8]) -> Result<Option<Received>, FrameError> {
        loop {
            let Some(frame) = &mut self.frame else {
                let Some((&byte, rest)) = bytes.split_first() else { return Ok(None) };
                *bytes = rest;
                self.header.push(byte);
                self.frame = self.begin()?;
                continue;
            };
            let (part, rest) = bytes.split_at(frame.rest.min(bytes.len()));
            *bytes = rest;
            frame.rest -= part.len();
            if frame.is_control() {
                let start = frame.control.len();
                let mask = frame.mask.iter().cycle().skip(start);
                frame.control.extend(part.iter().zip(mask).map(|(byte, mask)| byte ^ mask));
            }
            if frame.rest > 0 {
                return Ok(None);
            }
            let Some(frame) = self.frame.take() else { return Ok(None) };
            match frame.opcode {
                CLOSE => return Ok(Some(Received::Close)),
                PING => return Ok(Some(Received::Ping(frame.control))),
                _ if frame.is_control() => return Ok(Some(Received::Pong)),
                _ => {}
            }
        }
    }

    /// The frame that the header announces, as soon as it is complete.
    fn begin(&mut self) -> Result<Option<Frame>, FrameError> {
        let [first, second, more @ ..] = self.header.as_slice() else { return Ok(None) };
        let (is_last, opcode) = (first & 0x80 != 0, first & 0x0f);
        // No extension was agreed upon, and clients mask what they send.
        let is_plain = first & 0x70 == 0 && second & 0x80 != 0;
        let is_in_turn = match opcode {
            0 => self.is_in_message,
            1 | 2 => !self.is_in_message,
            8..=10 => is_last,
            _ => false,
        };
        if !is_plain || !is_in_turn {
            return Err(FrameError::Malformed);
        }
        let (length, more) = match second & 0x7f {
            126 => match more.split_first_chunk() {
                Some((length, more)) => (u64::from(u16::from_be_bytes(*length)), more),
                None => return Ok(None),
            },
            127 => match more.split_first_chunk() {
                Some((length, more)) => (u64::from_be_bytes(*length), more),
                None => return Ok(None),
            },
            length => (u64::from(length), more),
        };
        if length > if opcode < CLOSE { LARGEST } else { CONTROL } {
            return Err(if opcode < CLOSE { FrameError::TooLarge } else { FrameError::Malformed });
        }
        let Ok(mask) = more.try_into() else { return Ok(None) };
        if opcode < CLOSE {
            self.is_in_message = !is_last;
        }
        self.header.clear();
        let rest = usize::try_from(length).map_err(|_| FrameError::TooLarge)?;
        Ok(Some(Frame { opcode, mask, rest, control: Vec::new() }))
    }
}

impl Frame {
    fn is_control(&self) -> bool {
        self.opcode >= CLOSE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All that is worth an answer in these bytes, however they are cut into parts.
    fn read(bytes: &[u8], part: usize) -> (Vec<Received>, Option<FrameError>) {
        let (mut reader, mut received) = (Reader::default(), Vec::new());
        for mut part in bytes.chunks(part) {
            loop {
                match reader.next(&mut part) {
                    Ok(Some(next)) => received.push(next),
                    Ok(None) => break,
                    Err(refusal) => return (received, Some(refusal)),
                }
            }
            assert!(part.is_empty());
            assert!(reader.header.len() < 14, "no more than a header is kept");
        }
        (received, None)
    }

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let length = payload.len();
        let mut frame = vec![first];
        match length {
            0..126 => frame.push(0x80 | u8::try_from(length).unwrap()),
            126..65_536 => {
                frame.push(0xfe);
                frame.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            _ => {
                frame.push(0xff);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        let mask = [1, 2, 3, 4];
        frame.extend(mask);
        frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        frame
    }

    #[track_caller]
    fn check(bytes: &[u8], expected: Vec<Received>, refusal: Option<FrameError>) {
        for part in [1, 2, 3, 7, bytes.len().max(1)] {
            let (received, refused) = read(bytes, part);
            assert_eq!((&received, refused), (&expected, refusal), "{part} at a time");
        }
    }

    #[test]
    fn messages_are_passed_over_and_control_frames_are_heard() {
        check(&[], vec![], None);
        check(&frame(0x89, b"hello"), vec![Received::Ping(b"hello".to_vec())], None);
        check(&frame(0x8a, b""), vec![Received::Pong], None);
        check(&frame(0x88, b"\x03\xe8"), vec![Received::Close], None);
        check(&[frame(0x81, &[b'x'; 300]), frame(0x89, &[7; 125])].concat(), vec![Received::Ping(vec![7; 125])], None);
        check(&[frame(0x82, &vec![0; 65_536]), frame(0x8a, b"")].concat(), vec![Received::Pong], None);
        // A ping may come in the midst of a message.
        let parts = [frame(0x01, b"a"), frame(0x89, b""), frame(0x00, b"b"), frame(0x80, b"c"), frame(0x81, b"d")];
        check(&parts.concat(), vec![Received::Ping(vec![])], None);
    }

    #[test]
    fn the_header_decides() {
        let huge = |length: u64| [&[0x82, 0xff][..], &length.to_be_bytes()].concat();
        for length in [65_537, 1 << 40, 1 << 62, 1 << 63, u64::MAX] {
            check(&huge(length), vec![], Some(FrameError::TooLarge));
        }
        for malformed in [[0x81, 0x05], [0xc1, 0x85], [0x83, 0x80], [0x8b, 0x80], [0x80, 0x80], [0x09, 0x80]] {
            check(&malformed, vec![], Some(FrameError::Malformed));
        }
        check(&[frame(0x01, b"a"), frame(0x81, b"b")].concat(), vec![], Some(FrameError::Malformed));
        check(&[0x89, 0xfe, 0, 126], vec![], Some(FrameError::Malformed));
    }

    proptest! {
        #[test]
        fn parts_make_no_difference(bytes in proptest::collection::vec(any::<u8>(), 0..300), part in 1..50_usize) {
            prop_assert_eq!(read(&bytes, part), read(&bytes, 300));
        }
    }
}
