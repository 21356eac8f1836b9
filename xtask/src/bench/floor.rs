//! The floor: a bare HTTP server that reads bodies and syncs them to one file in groups, nothing else.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::sync::{mpsc, oneshot};

use super::load::{Load, Ready, send_all};

/// Sends the same bodies to the floor.
pub async fn measure(folder: &Path, ready: &Ready) -> anyhow::Result<Load> {
    let (sender, mut receiver) = mpsc::channel::<(Bytes, oneshot::Sender<()>)>(4096);
    let mut file = File::create(folder.join("floor"))?;
    let writer = std::thread::spawn(move || -> std::io::Result<()> {
        while let Some(first) = receiver.blocking_recv() {
            let mut group = vec![first];
            while let Ok(more) = receiver.try_recv() {
                group.push(more);
            }
            for (body, _) in &group {
                file.write_all(body)?;
            }
            file.sync_data()?;
            for (_, done) in group {
                let _ = done.send(());
            }
        }
        Ok(())
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    let server = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let sender = sender.clone();
            tokio::spawn(async move {
                let service = hyper::service::service_fn(move |request: Request<hyper::body::Incoming>| {
                    let sender = sender.clone();
                    async move {
                        let body = request.into_body().collect().await?.to_bytes();
                        let (done, wait) = oneshot::channel();
                        let _ = sender.send((body, done)).await;
                        let _ = wait.await;
                        Ok::<_, hyper::Error>(Response::new(Full::new(Bytes::from_static(b"{}"))))
                    }
                });
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    let load = send_all(&[url], ready, None).await?;
    server.abort();
    let _ = server.await;
    drop(writer);
    std::fs::remove_file(folder.join("floor"))?;
    Ok(load)
}
