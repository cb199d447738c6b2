//! What leaves this program: files, cells of a CSV, lines on a terminal. The one place that knows
//! how to write each of them safely.
//!
//! - Every file that holds a recording, a number, a name, an id or a secret is opened through
//!   [`private`]: mode 0600 in folders of 0700, whatever the umask.
//! - Every cell of every CSV goes through [`csv_cell`] or [`csv_line`], and every cell read back
//!   through [`csv_cell_read`]: a spreadsheet takes a cell that begins with `=` for a formula and
//!   runs it.
//! - Everything printed goes through [`printable`]: a source's ids may hold what a terminal obeys.
//!
//! It holds no rule of a migration and no meaning of any field, so every crate may use it.

mod csv;
pub mod private;
mod space;
mod text;

pub use csv::{csv_cell, csv_cell_read, csv_line};
pub use space::free_bytes;
pub use text::{printable, printable_json, thousands};
