//! `vedette serve`: opens the stores, starts the worker and the jobs, and answers HTTP until it is told to stop.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::extract::Request;
use backends::open::{StorageConfig, lock_folder, open};
use pipeline::directory::Directory;
use pipeline::ingest::{Ingest, quota::Quota};
use pipeline::worker::{Progress, Worker};
use protocol::time::{Clock, SystemClock};
use serde_json::{Value, json};
use storage::stores::{Catalog, Stores};
use tower::Layer as _;

use crate::admin::Admin;
use crate::config::Config;
use crate::{first_run, socket};

/// The tables that the stores keep.
pub fn catalog() -> Catalog {
    Catalog {
        errors: &processing::ERRORS,
    }
}

/// Opens the stores of a configuration.
///
/// # Errors
/// As the stores say.
pub fn stores(config: &Config) -> anyhow::Result<Stores> {
    Ok(open(&storage(config), catalog(), Arc::new(SystemClock))?)
}

fn storage(config: &Config) -> StorageConfig {
    StorageConfig {
        data_dir: config.data_dir.clone(),
        database_url: config.database_url.clone(),
        queue_limit: config.queue_limit,
    }
}

/// Restores a backup into the folder of the settings, which is empty.
///
/// # Errors
/// As [`backends::backup::restore`].
pub fn restore(config: &Config, file: &Path) -> anyhow::Result<Value> {
    let counts = backends::backup::restore(file, &storage(config), catalog(), Arc::new(SystemClock))?;
    Ok(counts.to_json())
}

/// The public address for a port.
pub fn url_for(config: &Config, listen: SocketAddr) -> String {
    config.url.clone().unwrap_or_else(|| {
        let ip = listen.ip();
        if ip.is_loopback() || ip.is_unspecified() {
            format!("http://localhost:{}", listen.port())
        } else {
            format!("http://{listen}")
        }
    })
}

/// Watches what makes taking events pointless: a disk that is nearly full.
struct Wellness {
    config: Config,
    free: AtomicU64,
}

impl Wellness {
    fn look(&self) {
        let free = fs4::available_space(&self.config.data_dir).unwrap_or(u64::MAX);
        self.free.store(free, Ordering::Relaxed);
    }

    fn unwell(&self) -> Option<String> {
        let free = self.free.load(Ordering::Relaxed);
        (free < self.config.min_free_disk).then(|| {
            format!(
                "the disk of the data folder has {} MB left, less than min-free-disk-mb ({})",
                free >> 20,
                self.config.min_free_disk >> 20
            )
        })
    }
}

/// A number on its way up, from what was there before.
fn status(progress: &Progress, stores: &Stores, started: i64) -> Value {
    let depth = stores.queue.depth();
    json!({
        "queueRecords": depth.records, "queueBytes": depth.bytes,
        "appliedRecords": progress.records.load(Ordering::Relaxed),
        "storedEvents": progress.events.load(Ordering::Relaxed),
        "batches": progress.batches.load(Ordering::Relaxed),
        "failures": progress.failures.load(Ordering::Relaxed),
        "uptimeSeconds": (stores.clock.now() - started) / 1_000_000,
    })
}

/// Takes the path prefix of the public address away, so that the server answers with and without it.
fn strip_prefix(prefix: &str, mut request: Request) -> Request {
    let path = request.uri().path();
    let rest = path
        .strip_prefix(prefix)
        .filter(|r| r.is_empty() || r.starts_with('/'))
        .map(str::to_owned);
    if let Some(rest) = rest {
        let path = if rest.is_empty() { "/".to_owned() } else { rest };
        let target = match request.uri().query() {
            Some(query) => format!("{path}?{query}"),
            None => path,
        };
        if let Ok(uri) = target.parse() {
            *request.uri_mut() = uri;
        }
    }
    request
}

/// Runs the server.
///
/// # Errors
/// If it cannot start; once it runs it ends well.
pub fn run(config: &Config) -> anyhow::Result<()> {
    let started = SystemClock.now();
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let lock = lock_folder(&config.data_dir)?;
    let stores = stores(config)?;
    let secret = first_run::secret_key(config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(64)
        .thread_name("http")
        .build()?;
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind(config.listen))
        .with_context(|| {
            format!(
                "cannot listen on {}; another process may have the port",
                config.listen
            )
        })?;
    let listen = listener.local_addr()?;
    let url: Arc<str> = url_for(config, listen).into();

    let directory = Arc::new(Directory::open(stores.sql.clone(), config.retention)?);
    let quota = Arc::new(Quota::default());
    let progress = Arc::new(Progress::default());
    let stop = Arc::new(AtomicBool::new(false));
    let changed: Arc<dyn Fn() + Send + Sync> = {
        let directory = directory.clone();
        Arc::new(move || {
            if let Err(e) = directory.reload() {
                tracing::error!(error = %e, "keys and projects could not be read again");
            }
        })
    };
    let admin = Admin {
        stores: stores.clone(),
        secret: secret.into(),
        data_dir: config.data_dir.clone(),
        url: url.clone(),
        changed: changed.clone(),
    };
    let first = first_run::prepare(config, &stores, &admin)?;
    socket::listen(&config.data_dir, admin)?;

    let worker = Worker {
        stores: stores.clone(),
        directory: directory.clone(),
        quota: quota.clone(),
        geo: Arc::new(processing::Database::countries()),
        pool: pipeline::worker::pool(config.worker_threads)?,
        progress: progress.clone(),
        stop: stop.clone(),
    };
    let worker = std::thread::Builder::new()
        .name("worker".into())
        .spawn(move || worker.run())?;
    let jobs = {
        let (stores, retention, stop) = (stores.clone(), config.retention, stop.clone());
        std::thread::Builder::new()
            .name("jobs".into())
            .spawn(move || pipeline::jobs::run(&stores, retention, &stop))?
    };
    let wellness = Arc::new(Wellness {
        config: config.clone(),
        free: AtomicU64::new(u64::MAX),
    });
    wellness.look();

    let app = routes(
        config, &stores, &url, directory, quota, &progress, changed, &wellness, started,
    );
    println!("{}", first_run::greeting(&url, first.as_ref()));
    runtime.block_on(async {
        let watch = {
            let wellness = wellness.clone();
            tokio::spawn(async move {
                let mut every = tokio::time::interval(Duration::from_secs(2));
                loop {
                    every.tick().await;
                    wellness.look();
                }
            })
        };
        tracing::info!(%listen, url = &*url, "listening");
        let service = app.into_make_service_with_connect_info::<SocketAddr>();
        let served = axum::serve(listener, service)
            .with_graceful_shutdown(told_to_stop())
            .await;
        watch.abort();
        served
    })?;
    tracing::info!("stopping: what is accepted is kept, what waits is processed at the next start");
    stop.store(true, Ordering::Relaxed);
    let _ = worker.join();
    let _ = jobs.join();
    stores.queue.close();
    if let Err(e) = stores.columns.flush() {
        tracing::warn!(error = %e, "the index could not be written; it is read from the packs at the next start");
    }
    if let Err(e) = stores.ids.flush() {
        tracing::warn!(error = %e, "the event ids could not be written; they are read from the packs at the next start");
    }
    let _ = std::fs::remove_file(socket::path(&config.data_dir));
    drop(lock);
    Ok(())
}

async fn told_to_stop() {
    let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(signal) => signal,
        Err(e) => {
            tracing::error!(error = %e, "SIGTERM cannot be waited for");
            return std::future::pending().await;
        }
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "the one place where everything comes together"
)]
fn routes(
    config: &Config,
    stores: &Stores,
    url: &Arc<str>,
    directory: Arc<Directory>,
    quota: Arc<Quota>,
    progress: &Arc<Progress>,
    changed: Arc<dyn Fn() + Send + Sync>,
    wellness: &Arc<Wellness>,
    started: i64,
) -> Router {
    let networks = config.trusted.clone();
    let trusted: Arc<dyn Fn(IpAddr) -> bool + Send + Sync> =
        Arc::new(move |address| networks.iter().any(|n| n.contains(address)));
    let ingest = Ingest {
        directory,
        queue: stores.queue.clone(),
        quota,
        clock: stores.clock.clone(),
        trusted: trusted.clone(),
        slots: Arc::new(tokio::sync::Semaphore::new(config.max_concurrent_requests)),
        unwell: {
            let wellness = wellness.clone();
            Arc::new(move || wellness.unwell())
        },
    };
    let hooks = api::Hooks {
        changed,
        check_settings: pipeline::directory::check,
        whereabouts: {
            let stores = stores.clone();
            Arc::new(move |id| pipeline::whereabouts::find(&stores, id).map_err(|e| e.to_string()))
        },
        grouping: processing::grouping_info,
        status: {
            let (stores, progress) = (stores.clone(), progress.clone());
            Arc::new(move || status(&progress, &stores, started))
        },
    };
    let api = api::Api {
        stores: stores.clone(),
        hooks,
        url: url.clone(),
        retention: config.retention,
        trusted,
        attempts: Arc::default(),
        version: env!("CARGO_PKG_VERSION"),
    };
    let inner = pipeline::ingest::router(ingest).merge(api::router(api));
    let prefix = url
        .split_once("://")
        .and_then(|(_, r)| r.split_once('/'))
        .map(|(_, p)| format!("/{p}"));
    match prefix {
        None => inner,
        Some(prefix) => {
            // The prefix goes before routing, so the router is wrapped as a whole.
            let layer = tower::util::MapRequestLayer::new(move |request| strip_prefix(&prefix, request));
            Router::new().fallback_service(layer.layer(inner))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_is_taken_away_where_it_stands() {
        let path = |uri: &str| {
            let request = Request::builder()
                .uri(uri)
                .body(axum::body::Body::empty())
                .unwrap();
            strip_prefix("/errors", request).uri().to_string()
        };
        assert_eq!(path("/errors/api/1/store/?a=b"), "/api/1/store/?a=b");
        assert_eq!(path("/errors"), "/");
        assert_eq!(path("/api/1/store/"), "/api/1/store/");
        assert_eq!(path("/errorsx"), "/errorsx");
    }
}
