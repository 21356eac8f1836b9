//! The listening socket. Connections are counted, so that files can still be opened when clients hold many: what is
//! above the count is answered 503 and closed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// File descriptors that are kept for stores, when there are enough.
const RESERVED: u64 = 512;
/// Connections that are told to come back, at the same time; beyond, they are closed without a word.
const TOLD: usize = 32;
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\n\
Content-Type: application/json\r\nX-Sentry-Error: too many connections\r\nContent-Length: 33\r\n\r\n\
{\"detail\":\"too many connections\"}";

/// Raises the limit of open files to what the system allows; answers how many connections fit.
pub fn connections() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let have = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: have.maximum,
        maximum: have.maximum,
    };
    let limit = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => have.maximum,
        Err(_) => have.current,
    };
    // No limit, or a very high one, is as good as a million.
    let limit = limit.unwrap_or(1 << 20).min(1 << 20);
    usize::try_from(limit - RESERVED.min(limit / 2)).unwrap_or(1)
}

/// A listener with a bound.
pub struct Bounded {
    inner: TcpListener,
    slots: Arc<Semaphore>,
    told: Arc<Semaphore>,
}

impl Bounded {
    /// Around a listener, for so many connections.
    pub fn new(inner: TcpListener, connections: usize) -> Bounded {
        Bounded {
            inner,
            slots: Arc::new(Semaphore::new(connections)),
            told: Arc::new(Semaphore::new(TOLD)),
        }
    }
}

/// A connection that counts as long as it lives.
pub struct Counted {
    stream: TcpStream,
    _slot: OwnedSemaphorePermit,
}

impl Listener for Bounded {
    type Io = Counted;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Counted, SocketAddr) {
        loop {
            // Waits and tries again by itself when the system has no descriptor left.
            let (stream, peer) = Listener::accept(&mut self.inner).await;
            let _ = stream.set_nodelay(true);
            if let Ok(slot) = self.slots.clone().try_acquire_owned() {
                return (Counted { stream, _slot: slot }, peer);
            }
            if let Ok(turn) = self.told.clone().try_acquire_owned() {
                tokio::spawn(async move {
                    let _ = tokio::time::timeout(Duration::from_millis(500), turn_away(stream)).await;
                    drop(turn);
                });
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

/// Says that there is no room, and reads what comes until the client has read the answer: a close with unread bytes
/// would take the answer away.
async fn turn_away(mut stream: TcpStream) -> std::io::Result<()> {
    stream.write_all(FULL).await?;
    stream.shutdown().await?;
    let mut rest = [0; 4096];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buf: &[u8],
    ) -> std::task::Poll<std::io::Result<usize>> {
        std::pin::Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        bufs: &[std::io::IoSlice<'_>],
    ) -> std::task::Poll<std::io::Result<usize>> {
        std::pin::Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// Who is at the other end.
#[derive(Debug, Clone, Copy)]
pub struct Peer(SocketAddr);

impl Connected<IncomingStream<'_, Bounded>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Bounded>) -> Peer {
        Peer(*stream.remote_addr())
    }
}

/// Tells routes the peer's address as they expect it.
pub fn tell_peer(mut request: Request) -> Request {
    if let Some(ConnectInfo(Peer(address))) = request.extensions().get::<ConnectInfo<Peer>>().copied() {
        request.extensions_mut().insert(ConnectInfo(address));
    }
    request
}
