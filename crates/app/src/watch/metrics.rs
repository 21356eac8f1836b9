//! Prometheus metrics. What happens is counted where it happens, through the facade `metrics`; what stands still is
//! read here.

use std::sync::atomic::Ordering;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use super::Watch;

/// Bounds of the buckets of durations, seconds.
const SECONDS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// Starts to count.
///
/// # Errors
/// If something counts already.
pub fn start() -> anyhow::Result<PrometheusHandle> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)?
        .install_recorder()?;
    describe_histogram!(
        "vedette_accept_seconds",
        "From the first byte of an ingest request to its answer, by status"
    );
    describe_histogram!(
        "vedette_queue_sync_seconds",
        "Writing and syncing a group of records of the queue"
    );
    describe_histogram!("vedette_stage_seconds", "A batch in each stage of processing");
    describe_counter!("vedette_outcomes_total", "Items by how they ended");
    describe_counter!("vedette_records_total", "Records applied since the start");
    describe_counter!("vedette_events_total", "Events stored since the start");
    describe_counter!(
        "vedette_batch_failures_total",
        "Batches that failed and were tried again"
    );
    describe_gauge!("vedette_queue_records", "Accepted records that are not applied");
    describe_gauge!("vedette_queue_bytes", "Their bytes");
    describe_gauge!(
        "vedette_queue_age_seconds",
        "How long the oldest of them has waited"
    );
    describe_gauge!(
        "vedette_store_bytes",
        "Bytes on the disk by store, measured every minute"
    );
    describe_gauge!(
        "vedette_disk_free_bytes",
        "Bytes free on the disk of the data folder"
    );
    describe_gauge!("vedette_disk_total_bytes", "Bytes of that disk");
    describe_gauge!(
        "vedette_set_aside_items",
        "Items kept aside because processing them failed"
    );
    describe_gauge!("process_resident_memory_bytes", "Resident memory");
    describe_gauge!("process_open_fds", "Open file descriptors");
    describe_gauge!(
        "process_start_time_seconds",
        "When the process started, seconds since the epoch"
    );
    Ok(handle)
}

/// Sets what stands still.
pub(super) fn gauges(watch: &Watch) {
    let depth = watch.stores.queue.depth();
    gauge!("vedette_queue_records").set(depth.records as f64);
    gauge!("vedette_queue_bytes").set(depth.bytes as f64);
    gauge!("vedette_queue_age_seconds").set(watch.delay());
    for (name, bytes) in watch.sizes.lock().iter() {
        gauge!("vedette_store_bytes", "store" => *name).set(*bytes as f64);
    }
    gauge!("vedette_disk_free_bytes").set(watch.free.load(Ordering::Relaxed) as f64);
    gauge!("vedette_disk_total_bytes").set(watch.total.load(Ordering::Relaxed) as f64);
    counter!("vedette_records_total").absolute(watch.progress.records.load(Ordering::Relaxed));
    counter!("vedette_events_total").absolute(watch.progress.events.load(Ordering::Relaxed));
    counter!("vedette_batch_failures_total").absolute(watch.progress.failures.load(Ordering::Relaxed));
    if let Ok(n) = watch.stores.sql.reading(storage::relational::aside::count) {
        gauge!("vedette_set_aside_items").set(n as f64);
    }
    if let Some(bytes) = super::figures::memory() {
        gauge!("process_resident_memory_bytes").set(bytes as f64);
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        gauge!("process_open_fds").set(open.count() as f64);
    }
    gauge!("process_start_time_seconds").set(watch.started as f64 / 1e6);
}
