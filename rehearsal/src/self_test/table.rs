//! The table a person reads: 80 columns.

use super::{Row, SelfTested, Status};

/// Longest title shown: with it a line is 80 columns wide.
const TITLE: usize = 46;

impl SelfTested {
    /// The outcome in lines.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{:<7}{:<8}{:>7} {:>5} {:>5}  {}",
            "class", "target", "planted", "found", "named", "defect"
        )];
        lines.extend(self.rows.iter().flat_map(of_row));
        lines.extend(
            self.alarms
                .iter()
                .flat_map(|alarm| wrapped(&format!("false alarm: {alarm}"))),
        );
        lines
    }

    /// The outcome in one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let declared = self.rows.iter().filter(|row| !row.status.is_planted());
        format!(
            "{} of {} planted classes found, {} rightly named; {} declared; {} false alarms in {} \
             clean records ({} with sound); seed {}",
            self.found,
            self.classes,
            self.named,
            declared.count(),
            self.false_alarms,
            self.clean_records,
            self.clean_with_sound,
            self.seed
        )
    }
}

fn of_row(row: &Row) -> Vec<String> {
    let head = format!("{:<7}{:<8}", row.class, row.target.name());
    if !row.status.is_planted() {
        let why = match row.status {
            Status::CannotExist => "cannot exist",
            _ => "no reader can tell",
        };
        let mut lines = vec![format!("{head}{why:<19}  {}", shortened(row.title))];
        lines.extend(wrapped(&row.reason));
        return lines;
    }
    let title = match row.stands_as {
        Some(other) => shortened(&format!("as {other}: {}", row.title)),
        None => shortened(row.title),
    };
    let mut lines = vec![format!(
        "{head}{:>7} {:>5} {:>5}  {title}",
        row.planted, row.found, row.named
    )];
    if row.status == Status::Failed {
        lines.extend(wrapped(&format!("FAILED: {}", row.reason)));
    }
    lines
}

/// A title in its column: as many whole words as fit.
fn shortened(title: &str) -> String {
    if title.chars().count() <= TITLE {
        return title.to_owned();
    }
    let room = title.chars().take(TITLE - 3).collect::<String>();
    let words = room.rsplit_once(' ').map_or(&*room, |(words, _)| words);
    format!("{words} ...")
}

/// A text below its row, at most 80 columns.
fn wrapped(text: &str) -> Vec<String> {
    const WIDTH: usize = 75;
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
        .into_iter()
        .map(|line| format!("     {line}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_title_ends_with_a_whole_word() {
        assert_eq!(shortened("wrong agent"), "wrong agent");
        let long = shortened("as cannot tell: staged original was altered after hashing");
        assert_eq!(long, "as cannot tell: staged original was ...");
        assert!(long.chars().count() <= TITLE);
    }
}
