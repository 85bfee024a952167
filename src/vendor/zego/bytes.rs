//! From the bytes of a request to values, in each of the forms that the vendor sends.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::model::named::serialize_error;
use crate::vendor::zego::any::{Any, Texts};
use crate::vendor::zego::decoder::{Decode, Decoder};
use crate::vendor::zego::payload::UrlList;

/// The byte order mark, which some proxies and languages put before a text.
const MARK: char = '\u{feff}';
/// The mark and a brace, percent-encoded, in lower case.
const ENCODED_MARK: &str = "%ef%bb%bf";
const ENCODED_BRACE: &str = "%7b";

/// Why a body could not be decoded.
///
/// The error names the event and the field, if one is wrong. It cuts what a stranger wrote.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct DecodeError(#[from] Reason);

#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error("the body is not UTF-8")]
    NotUtf8,
    #[error("the body is neither a JSON object nor a form")]
    NoForm,
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

impl DecodeError {
    /// Returns the name of the error, without what it carries: for metrics, logs and answers. Names stay as
    /// they are.
    ///
    /// | name | what is wrong |
    /// |---|---|
    /// | `not_utf8` | a form, or what was percent-encoded, is not UTF-8 |
    /// | `unknown_form` | the body is neither a JSON object nor a form |
    /// | `malformed_json` | the body begins as a JSON object, and is not one |
    /// | `invalid_field` | a field is missing, or its value is wrong |
    ///
    /// ```
    /// use room_registry::vendor::zego::{Decoder, Event};
    /// let error = Decoder::new().decode::<Event>(b"event=room_close&room_id=r1").unwrap_err();
    /// assert_eq!(error.name(), "invalid_field");
    /// assert_eq!(error.to_string(), "room_close: field `room_session_id` is missing");
    /// ```
    #[must_use]
    pub fn name(&self) -> &'static str {
        match &self.0 {
            Reason::NotUtf8 => "not_utf8",
            Reason::NoForm => "unknown_form",
            Reason::Json(error) if error.is_data() => "invalid_field",
            Reason::Json(_) => "malformed_json",
        }
    }
}

/// Serialises the [name](DecodeError::name) and the text of the error, as `name` and `message`.
impl serde::Serialize for DecodeError {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_error(self.name(), self, serializer)
    }
}

impl Decoder {
    /// Decodes the body of a request: JSON, JSON that is percent-encoded, or a form with the same
    /// fields. It skips a byte order mark.
    ///
    /// The body alone decides which of them it is. A form has playback addresses in any of these
    /// ways: `rtmp_url=…` once or several times, `rtmp_url[]=…`, `rtmp_url[0]=…`, or a JSON list as
    /// the value. Of any other field that comes twice, the last value counts.
    ///
    /// Cost: the body, times the logarithm of its fields if it is a form.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] says what the module says for wrong fields, or that the body has no known
    /// form.
    ///
    /// ```
    /// use room_registry::vendor::zego::{Decoder, Event, Notification};
    ///
    /// let decoder = Decoder::new();
    /// for body in ["\u{feff}{\"event\":\"ping\"}", "%7B%22event%22%3A%22ping%22%7D", "event=ping"] {
    ///     let event: Event = decoder.decode(body.as_bytes())?;
    ///     assert_eq!(event, Event::Other("ping".into()));
    /// }
    /// let notification: Notification = decoder.decode(b"event=ping&nonce=350176")?;
    /// assert_eq!(notification.nonce.unwrap(), "350176");
    /// let error = decoder.decode::<Event>(b"ping").unwrap_err();
    /// assert_eq!(error.to_string(), "the body is neither a JSON object nor a form");
    /// # Ok::<(), room_registry::vendor::zego::DecodeError>(())
    /// ```
    pub fn decode<T: Decode>(self, body: &[u8]) -> Result<T, DecodeError> {
        let body = body.trim_ascii();
        let body = body.strip_prefix(MARK.to_string().as_bytes()).unwrap_or(body).trim_ascii();
        if body.first() == Some(&b'{') {
            return Ok(self.json(body)?);
        }
        let text = std::str::from_utf8(body).map_err(|_| Reason::NotUtf8)?;
        let text = without_prefix(text, ENCODED_MARK).unwrap_or(text);
        if without_prefix(text, ENCODED_BRACE).is_some() {
            return Ok(self.json(decoded(text)?.as_bytes())?);
        }
        if !text.contains('=') {
            return Err(Reason::NoForm.into());
        }
        let fields = Value::Object(fields(text)?);
        Ok(self.deserialize(fields).map_err(Reason::Json)?)
    }

    fn json<T: Decode>(self, body: &[u8]) -> Result<T, Reason> {
        let mut json = serde_json::Deserializer::from_slice(body);
        let value = self.deserialize(&mut json)?;
        json.end()?;
        Ok(value)
    }
}

/// Returns what is behind a prefix, whose letters may be of either case.
fn without_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn decoded(text: &str) -> Result<String, Reason> {
    let text = text.replace('+', " ");
    let decoded = percent_decode_str(&text).decode_utf8().map_err(|_| Reason::NotUtf8)?;
    Ok(decoded.into_owned())
}

/// Reads a form as the JSON object that the vendor would send in its place.
fn fields(form: &str) -> Result<Map<String, Value>, Reason> {
    let mut fields = Map::new();
    for pair in form.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decoded(name)?, decoded(value)?);
        let Some(list) = name_of_list(&name) else {
            fields.insert(name, Value::String(value));
            continue;
        };
        let urls = fields.entry(list).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(urls) = urls {
            urls.extend(addresses(value));
        }
    }
    Ok(fields)
}

/// Returns which list of addresses a name of a form means: `rtmp_url`, `rtmp_url[]`, `rtmp_url[0]`.
fn name_of_list(name: &str) -> Option<&str> {
    let list = match name.split_once('[') {
        Some((list, index)) => {
            let index = index.strip_suffix(']')?;
            index.bytes().all(|byte| byte.is_ascii_digit()).then_some(list)?
        }
        None => name,
    };
    UrlList::named(list).map(|_| list)
}

/// Returns the texts of a JSON list, or else the value itself.
fn addresses(value: String) -> Vec<Value> {
    match serde_json::from_str(&value) {
        Ok(Any(Texts(texts))) if value.starts_with('[') => {
            texts.into_iter().map(|text| Value::String(text.into())).collect()
        }
        _ => vec![Value::String(value)],
    }
}
