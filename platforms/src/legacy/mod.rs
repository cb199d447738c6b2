//! The legacy source: what it answers and how it is asked.

mod client;
pub mod wire;

pub use client::{Client, InteractionPage, Page, RecordingAnswer, Settings};
