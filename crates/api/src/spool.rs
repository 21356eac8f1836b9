//! Bodies of requests that are too large for memory: they are written to a folder, and read from there.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use http::HeaderMap;
use http_body_util::BodyExt as _;
use std::io::Write as _;

use crate::answer::ApiError;

/// A body may be silent so long.
const SILENCE: Duration = Duration::from_secs(30);

/// A body in a file, which is gone when this is.
pub struct Spool(PathBuf);

impl Drop for Spool {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Spool {
    /// Opens it for reading.
    pub fn open(&self) -> Result<File, ApiError> {
        File::open(&self.0).map_err(|e| ApiError::Unavailable(format!("an upload cannot be read: {e}")))
    }

    /// Writes a body of at most so many bytes to a folder.
    pub async fn receive(
        folder: &Path,
        headers: &HeaderMap,
        mut body: Body,
        most: u64,
    ) -> Result<Spool, ApiError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let large = || ApiError::TooLarge(format!("The body is larger than {} MiB.", most >> 20));
        let said = headers.get(http::header::CONTENT_LENGTH);
        let said = said.and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
        if said.is_some_and(|n| n > most) || body.size_hint().lower() > most {
            return Err(large());
        }
        let full = |e: std::io::Error| ApiError::Unavailable(format!("an upload cannot be kept: {e}"));
        let spool = Spool(folder.join(format!("body-{}", NEXT.fetch_add(1, Ordering::Relaxed))));
        let mut file = File::create_new(&spool.0).map_err(full)?;
        let (mut size, mut held) = (0u64, Vec::<Bytes>::new());
        let mut waiting = 0;
        loop {
            let mut end = false;
            let frame = match tokio::time::timeout(SILENCE, body.frame()).await {
                Err(_) => return Err(ApiError::Bad("The body stopped coming.".into())),
                Ok(None) => {
                    end = true;
                    None
                }
                // What is no data are trailers.
                Ok(Some(Ok(frame))) => frame.into_data().ok(),
                Ok(Some(Err(_))) => return Err(ApiError::Bad("The body ended too early.".into())),
            };
            if let Some(bytes) = frame {
                size += bytes.len() as u64;
                if size > most {
                    return Err(large());
                }
                waiting += bytes.len();
                held.push(bytes);
            }
            if waiting > 1 << 20 || end {
                let some = std::mem::take(&mut held);
                waiting = 0;
                file = tokio::task::spawn_blocking(move || {
                    some.iter().try_for_each(|b| file.write_all(b)).map(|()| file)
                })
                .await
                .map_err(|e| ApiError::Internal(e.to_string()))?
                .map_err(full)?;
            }
            if end {
                return Ok(spool);
            }
        }
    }
}
