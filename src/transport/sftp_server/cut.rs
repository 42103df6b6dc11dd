//! A stream that can be cut from outside, whatever its owner is waiting for.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;

/// Cuts the stream that it was made with.
#[derive(Debug, Clone)]
pub(super) struct Scissors(Arc<watch::Sender<bool>>);

impl Scissors {
    /// Every use of the stream fails from now on, those under way too.
    pub(super) fn cut(&self) {
        self.0.send_replace(true);
    }
}

/// The stream.
pub(super) struct Cuttable<S> {
    stream: S,
    cut: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl<S> Cuttable<S> {
    pub(super) fn new(stream: S) -> (Cuttable<S>, Scissors) {
        let (sender, mut receiver) = watch::channel(false);
        let cut = Box::pin(async move {
            if receiver.wait_for(|&cut| cut).await.is_err() {
                // Nobody is left to cut it.
                std::future::pending::<()>().await;
            }
        });
        (Cuttable { stream, cut }, Scissors(Arc::new(sender)))
    }

    fn whole(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.cut.as_mut().poll(context) {
            Poll::Ready(()) => {
                // A future that is done must not be asked again.
                self.cut = Box::pin(std::future::ready(()));
                Err(io::Error::new(
                    io::ErrorKind::ConnectionAborted,
                    "ended by the server",
                ))
            }
            Poll::Pending => Ok(()),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Cuttable<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.whole(context)?;
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Cuttable<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.whole(context)?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.whole(context)?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn a_reader_that_waits_is_woken() {
        let (near, mut far) = tokio::io::duplex(16);
        let (mut stream, scissors) = Cuttable::new(near);
        far.write_all(b"ab").await.expect("writes");
        let mut two = [0; 2];
        stream.read_exact(&mut two).await.expect("reads");
        let reading = tokio::spawn(async move { (stream.read(&mut two).await, stream) });
        tokio::task::yield_now().await;
        scissors.cut();
        let (read, mut stream) = reading.await.expect("runs");
        assert_eq!(
            read.expect_err("is cut").kind(),
            io::ErrorKind::ConnectionAborted
        );
        stream.write_all(b"x").await.expect_err("stays cut");
    }
}
