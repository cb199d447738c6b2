//! The legacy source: what it answers and how it is asked.

mod address;
mod client;
mod listing;
mod spelling;
pub mod wire;

pub use client::{Client, InteractionPage, Page, RecordingAnswer, Settings};
