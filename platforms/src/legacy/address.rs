//! Where a recording's media is said to lie.

use url::Url;

/// An address as the source states it, absolute or relative to `base`; or, in words, why nothing
/// can be fetched from it. The words never quote it: what comes after `data:` is the recording, and
/// a query may hold a signature.
pub(super) fn fetchable(base: &Url, address: &str) -> Result<Url, String> {
    let address = address.trim();
    let url = base.join(address).map_err(|_| "is no address".to_owned())?;
    let why = match url.scheme() {
        "http" | "https" if url.host_str().is_some() => return Ok(url),
        "http" | "https" => "names no host".to_owned(),
        "file" => "begins with `file:`: a file on the source's own machine, which cannot be \
            fetched from here; have the source serve it over https"
            .to_owned(),
        "data" => "begins with `data:`: the recording itself instead of a place; have the source \
            serve it over https"
            .to_owned(),
        // `C:\\recordings\\1.wav` and the like.
        drive if drive.len() == 1 => "is a path on a Windows drive, which cannot be fetched from \
            here; have the source serve it over https"
            .to_owned(),
        other => format!(
            "begins with `{other}:`, and only http and https can be fetched; have the \
            source serve it over https"
        ),
    };
    Err(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_http_is_fetched_and_everything_else_is_named_without_its_contents() {
        let base = Url::parse("https://source.example/api/").expect("a URL");
        for (address, wanted) in [
            ("/media/1.wav", "https://source.example/media/1.wav"),
            ("media/1.wav", "https://source.example/api/media/1.wav"),
            (
                " https://cdn.example/a%3Bb?signature=s ",
                "https://cdn.example/a%3Bb?signature=s",
            ),
            ("//cdn.example/1", "https://cdn.example/1"),
            ("HTTP://cdn.example/a b", "http://cdn.example/a%20b"),
        ] {
            assert_eq!(fetchable(&base, address).expect(address).as_str(), wanted);
        }
        for (address, words) in [
            ("file:///archive/4155501.wav", "`file:`"),
            ("FILE://server/4155501.wav", "`file:`"),
            ("data:audio/wav;base64,4155501", "`data:`"),
            ("gopher://cdn.example/4155501", "`gopher:`"),
            ("ftp://user:4155501@cdn.example/x", "`ftp:`"),
            ("s3://bucket/4155501", "`s3:`"),
            ("mailto:4155501@cdn.example", "`mailto:`"),
            (r"C:\archive\4155501.wav", "Windows drive"),
            ("javascript:4155501", "`javascript:`"),
            ("https://", "no address"),
        ] {
            let why = fetchable(&base, address).expect_err(address);
            assert!(
                why.contains(words) && !why.contains("4155501"),
                "{address}: {why}"
            );
        }
    }
}
