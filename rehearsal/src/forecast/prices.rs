//! Money: what a price file says each thing costs. No price is known here.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Forecast;

/// A price file. What is left out costs nothing and is not on the bill.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Prices {
    /// Name of the currency, as it is printed.
    pub currency: String,
    /// Of a thousand requests that count towards the target's limit, beyond `included_requests`:
    /// fair use is the vendor's word for it.
    pub per_thousand_requests: f64,
    /// Requests that cost nothing.
    pub included_requests: u64,
    /// Of a gigabyte (10^9 bytes) read from the source.
    pub per_gigabyte_in: f64,
    /// Of a gigabyte written to the target.
    pub per_gigabyte_out: f64,
    /// Of a gigabyte in staging for a month of 30 days.
    pub per_gigabyte_month_staged: f64,
    /// Of an hour of the machine that migrates.
    pub per_machine_hour: f64,
}

/// What is wrong with a price file.
#[derive(Debug, thiserror::Error)]
pub enum PriceError {
    /// It cannot be read.
    #[error("cannot read {0}: {1}")]
    Unreadable(String, std::io::Error),
    /// It is no price file.
    #[error("{0}: {1}")]
    Malformed(String, String),
}

/// What it costs, line by line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bill {
    /// As the price file names it.
    pub currency: String,
    /// What for, and how much.
    pub lines: Vec<(&'static str, f64)>,
    /// Together.
    pub total: f64,
    /// Requests beyond what is included.
    pub requests_over_quota: u64,
}

impl Prices {
    /// Reads a price file.
    ///
    /// # Errors
    ///
    /// The file is not there or not readable, is no price file, or a price is negative or no number
    /// ([`PriceError`]).
    pub fn read(path: &Path) -> Result<Prices, PriceError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| PriceError::Unreadable(name.clone(), error))?;
        let prices: Prices = toml::from_str(&text)
            .map_err(|error| PriceError::Malformed(name.clone(), error.to_string()))?;
        let all = [
            ("per_thousand_requests", prices.per_thousand_requests),
            ("per_gigabyte_in", prices.per_gigabyte_in),
            ("per_gigabyte_out", prices.per_gigabyte_out),
            (
                "per_gigabyte_month_staged",
                prices.per_gigabyte_month_staged,
            ),
            ("per_machine_hour", prices.per_machine_hour),
        ];
        let is_price = |price: f64| price.is_finite() && price >= 0.0;
        if let Some((key, price)) = all.into_iter().find(|(_, price)| !is_price(*price)) {
            return Err(PriceError::Malformed(
                name,
                format!("`{key}` is {price}; a price is a number that is not negative"),
            ));
        }
        Ok(prices)
    }

    /// What a forecast costs under these prices.
    #[must_use]
    pub fn bill(&self, forecast: &Forecast) -> Bill {
        let over = forecast
            .counted_requests
            .saturating_sub(self.included_requests);
        let gigabytes = |bytes: u64| bytes as f64 / 1e9;
        let months = forecast.seconds / (30.0 * 86_400.0);
        let lines = [
            (
                "requests",
                self.per_thousand_requests * over as f64 / 1000.0,
            ),
            (
                "bytes from the source",
                self.per_gigabyte_in * gigabytes(forecast.bytes_in),
            ),
            (
                "bytes to the target",
                self.per_gigabyte_out * gigabytes(forecast.bytes_out),
            ),
            (
                "staging",
                self.per_gigabyte_month_staged * gigabytes(forecast.staging_bytes) * months,
            ),
            ("machine", self.per_machine_hour * forecast.seconds / 3600.0),
        ];
        let lines: Vec<(&'static str, f64)> =
            lines.into_iter().filter(|(_, cost)| *cost > 0.0).collect();
        let total = lines.iter().map(|(_, cost)| cost).sum();
        Bill {
            currency: self.currency.clone(),
            lines,
            total,
            requests_over_quota: over,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Prices, PriceError> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("written");
        Prices::read(file.path())
    }

    #[test]
    fn nonsense_is_refused_with_the_file_named() {
        for (text, expected) in [
            ("per_gigabyte = 1", "per_gigabyte"),
            ("per_gigabyte_in = -1", "`per_gigabyte_in` is -1"),
            ("per_machine_hour = nan", "`per_machine_hour` is NaN"),
        ] {
            let error = read(text).expect_err(text).to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn what_is_included_is_not_on_the_bill() {
        let prices =
            read("currency = 'EUR'\nper_thousand_requests = 2.0\nincluded_requests = 1000")
                .expect("prices");
        let mut forecast = super::super::forecast(
            &super::super::Load {
                calls: 0,
                recordings: 0,
                mean_seconds: 0.0,
                source_bytes: 0,
                target_bytes: 0,
                transcoded: false,
            },
            &super::super::Pace {
                surface: super::super::Surface::Guide,
                requests_per_minute: Some(300),
                tokens: 1,
                uploads_per_second: None,
                megabits_per_second: None,
                cores: 1,
                verify: false,
            },
        );
        forecast.counted_requests = 3000;
        let bill = prices.bill(&forecast);
        assert_eq!(
            (
                bill.requests_over_quota,
                bill.lines.as_slice(),
                bill.currency.as_str()
            ),
            (2000, [("requests", 4.0)].as_slice(), "EUR")
        );
    }
}
