//! The SFTP protocol's framing: requests are read, answered one after the other, and the answers written.
//!
//! Our own loop rather than the library's, for three things that keep a hostile client harmless: a packet that is too
//! long ends the session instead of being read out of step, a session ends between two requests when the server
//! stops, and the watch over idle clients sees which requests were whole.

use bytes::{Buf, Bytes, BytesMut};
use russh_sftp::protocol::Packet;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;

use super::answer::Refused;
use super::pulse::Pulse;
use super::session::MailboxSession;
use super::stopped;

/// Answers that are gathered while more requests are at hand.
const ANSWER_BYTES: usize = 64 * 1024;
const READ_BYTES: usize = 64 * 1024;
/// Requests that are read ahead. Clients have up to some 2 MiB under way.
const GATHERED_BYTES: usize = 4 << 20;

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SessionEnd {
    /// The client closed it, or the connection is gone.
    ByClient,
    /// The client sent what cannot be SFTP.
    OutOfStep,
    /// The server stops.
    ServerStops,
}

/// Serves one session until it ends.
///
/// Requests are read even while an answer waits to be written: the SSH library stops altogether, and with it the
/// answer, when a channel's messages are not taken.
pub(super) async fn serve<S>(
    stream: S,
    session: &mut MailboxSession,
    pulse: &Pulse,
    stop: &mut watch::Receiver<bool>,
) -> SessionEnd
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut from_client, to_client) = tokio::io::split(stream);
    let (requests, mut gathering) = tokio::io::simplex(GATHERED_BYTES);
    let gather = async {
        // Either end of it gone means that the session is over, which the other half finds out.
        let _ = tokio::io::copy(&mut from_client, &mut gathering).await;
        let _ = gathering.shutdown().await;
        std::future::pending::<()>().await
    };
    tokio::select! {
        end = answer_all(tokio::io::join(requests, to_client), session, pulse, stop) => end,
        () = gather => SessionEnd::ByClient,
    }
}

async fn answer_all<S>(
    mut stream: S,
    session: &mut MailboxSession,
    pulse: &Pulse,
    stop: &mut watch::Receiver<bool>,
) -> SessionEnd
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let longest = session.shared.limits.packet_bytes;
    let (mut requests, mut answers) = (BytesMut::new(), Vec::new());
    loop {
        let (mut out_of_step, mut owed) = (false, None);
        while !*stop.borrow() {
            let mut packet = match next_packet(&mut requests, longest) {
                Ok(Some(packet)) => packet,
                Ok(None) => break,
                Err(PacketTooLong) => {
                    out_of_step = true;
                    break;
                }
            };
            owed.get_or_insert_with(|| pulse.owe_answer());
            let answered = pulse.while_working(answer(session, &mut packet)).await;
            let Ok(bytes) = Bytes::try_from(answered) else {
                out_of_step = true;
                break;
            };
            answers.extend_from_slice(&bytes);
            if answers.len() >= ANSWER_BYTES && !send(&mut stream, &mut answers, pulse).await {
                return SessionEnd::ByClient;
            }
        }
        if !send(&mut stream, &mut answers, pulse).await {
            return SessionEnd::ByClient;
        }
        drop(owed);
        if out_of_step {
            return SessionEnd::OutOfStep;
        }
        if *stop.borrow() {
            return SessionEnd::ServerStops;
        }
        requests.reserve(READ_BYTES);
        tokio::select! {
            read = stream.read_buf(&mut requests) => if !matches!(read, Ok(1..)) {
                return SessionEnd::ByClient;
            },
            () = stopped(stop) => return SessionEnd::ServerStops,
        }
    }
}

struct PacketTooLong;

/// Takes the next whole packet, without its length, off the buffer.
fn next_packet(buffer: &mut BytesMut, longest: u32) -> Result<Option<Bytes>, PacketTooLong> {
    let Some(length) = buffer.first_chunk::<4>().copied().map(u32::from_be_bytes) else {
        return Ok(None);
    };
    if length > longest {
        return Err(PacketTooLong);
    }
    if buffer.len() - 4 < length as usize {
        return Ok(None);
    }
    buffer.advance(4);
    Ok(Some(buffer.split_to(length as usize).freeze()))
}

async fn answer(session: &mut MailboxSession, packet: &mut Bytes) -> Packet {
    // The type is one byte; all requests but INIT, and every one that we do not know, have an id after it.
    let id = packet
        .get(1..5)
        .and_then(|id| id.try_into().ok())
        .map_or(0, u32::from_be_bytes);
    match Packet::try_from(packet) {
        Ok(request) => session.answer(id, request).await,
        Err(_) => Refused::bad_message("this is not a request of SFTP version 3").packet(id),
    }
}

/// Writes the answers; `false` when the client is gone.
async fn send<S: AsyncWrite + Unpin>(stream: &mut S, answers: &mut Vec<u8>, pulse: &Pulse) -> bool {
    if answers.is_empty() {
        return true;
    }
    let sent = stream.write_all(answers).await.is_ok() && stream.flush().await.is_ok();
    answers.clear();
    pulse.beat();
    sent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_cut_off_the_buffer() {
        let mut buffer = BytesMut::from(&b"\0\0\0\x02ab\0\0\0\x00\0\0\0\x03c"[..]);
        let next = |buffer: &mut BytesMut| next_packet(buffer, 3).ok().flatten();
        assert_eq!(next(&mut buffer).as_deref(), Some(&b"ab"[..]));
        assert_eq!(next(&mut buffer).as_deref(), Some(&b""[..]));
        assert_eq!(next(&mut buffer), None);
        buffer.extend_from_slice(b"de");
        assert_eq!(next(&mut buffer).as_deref(), Some(&b"cde"[..]));
        buffer.extend_from_slice(b"\0\0\0\x04");
        assert!(next_packet(&mut buffer, 3).is_err());
    }
}
