//! The parameters of a request: from the address, and from the body of a POST.
//!
//! A body is a form or a JSON object with the same names. A name that stands twice, wherever, is
//! refused: two readers could take different ones. Names that are not known are passed over.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, Uri};
use http_body_util::BodyExt;
use percent_encoding::percent_decode_str;
use room_registry::page::RoomOrder;
use room_registry::{Attributes, IdError, Lifecycle, MAX_NAME_LEN, Role, Text};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::At;
use super::answer::Problem;
use crate::settings;
use crate::store::Page;

/// How long the body of a request may be, in bytes.
pub const MAX_BODY_LEN: usize = 64 * 1024;
/// How much of a longer body is read and thrown away, in bytes.
const MAX_PASSED_OVER: usize = 1024 * 1024;
/// How many entries a page has if the client does not say.
pub const DEFAULT_LIMIT: usize = 50;
/// How many entries a page has at most; who asks for more gets so many.
pub const MAX_LIMIT: usize = 500;
/// How long a cursor may be: an id with all its bytes escaped, and a number.
const MAX_CURSOR_LEN: usize = 1_024;

/// What a client asks: the parameters, and who says he is asking.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) parameters: Parameters,
    pub(super) token: Option<String>,
}

impl FromRequest<At> for Asked {
    type Rejection = Problem;

    async fn from_request(request: Request, at: &At) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let mut parameters = Parameters::of_query(&parts.uri)?;
        if parts.method == Method::POST {
            let body = read(body, MAX_BODY_LEN, at.service.limits.client_timeout).await?;
            parameters.add_body(&parts.headers, &body)?;
        }
        Ok(Self { parameters, token: bearer(&parts.headers) })
    }
}

/// The token of a request.
pub(super) fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// Reads a body, in bounded size and time.
pub(super) async fn read(body: Body, limit: usize, within: Duration) -> Result<Bytes, Problem> {
    let read = tokio::time::timeout(within, read_up_to(body, limit)).await;
    read.unwrap_or(Err(Problem::TooSlow))
}

/// Of a body that is too long some more is read and thrown away. A client that is still sending when the
/// connection ends does not see the answer.
async fn read_up_to(mut body: Body, limit: usize) -> Result<Bytes, Problem> {
    if body.size_hint().lower() > (limit + MAX_PASSED_OVER) as u64 {
        return Err(Problem::TooLarge(limit));
    }
    let (mut read, mut len) = (Vec::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::Body("the body broke off".to_owned()))?;
        let Ok(data) = frame.into_data() else { continue };
        len += data.len();
        if len <= limit {
            read.extend_from_slice(&data);
        } else if len > limit + MAX_PASSED_OVER {
            break;
        }
    }
    if len > limit { Err(Problem::TooLarge(limit)) } else { Ok(read.into()) }
}

/// Names and values.
#[derive(Debug, Default)]
pub(super) struct Parameters(BTreeMap<String, Value>);

impl Parameters {
    pub(super) fn of_query(uri: &Uri) -> Result<Self, Problem> {
        let mut parameters = Self::default();
        parameters.add_form(uri.query().unwrap_or_default())?;
        Ok(parameters)
    }

    fn add_body(&mut self, headers: &HeaderMap, body: &[u8]) -> Result<(), Problem> {
        if body.is_empty() {
            return Ok(());
        }
        match media_type(headers).as_deref() {
            Some("application/json") => self.add_json(body),
            Some("application/x-www-form-urlencoded") => {
                let not_text = |_| Problem::Body("the form is not UTF-8".to_owned());
                self.add_form(std::str::from_utf8(body).map_err(not_text)?)
            }
            _ => Err(Problem::ContentType),
        }
    }

    fn add_json(&mut self, body: &[u8]) -> Result<(), Problem> {
        let members: Members = serde_json::from_slice(body)
            .map_err(|error| Problem::Body(format!("the body is no JSON object: {error}")))?;
        for (name, value) in members.0 {
            self.add(name, value)?;
        }
        Ok(())
    }

    fn add_form(&mut self, form: &str) -> Result<(), Problem> {
        for (name, value) in pairs(form) {
            let name = name
                .ok_or_else(|| Problem::Body("the name of a parameter is not UTF-8".to_owned()))?;
            let Some(value) = value else {
                return Err(Problem::malformed(shown(&name), "it is not UTF-8"));
            };
            self.add(name, Value::String(value))?;
        }
        Ok(())
    }

    fn add(&mut self, name: String, value: Value) -> Result<(), Problem> {
        if value.is_null() {
            return Ok(());
        }
        let text = shown(&name);
        match self.0.insert(name, value) {
            None => Ok(()),
            Some(_) => Err(Problem::malformed(text, "it stands twice")),
        }
    }

    /// A text; of a whole number its digits.
    pub(super) fn text(&self, name: &'static str) -> Result<Option<Cow<'_, str>>, Problem> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.into())),
            Some(Value::Number(number)) if !number.is_f64() => Ok(Some(number.to_string().into())),
            Some(_) => Err(Problem::malformed(name, "it is no text")),
        }
    }

    /// An id that must be there.
    pub(super) fn id<T>(&self, name: &'static str) -> Result<T, Problem>
    where
        T: for<'a> TryFrom<&'a str, Error = IdError>,
    {
        self.optional_id(name)?.ok_or_else(|| Problem::missing(name))
    }

    pub(super) fn optional_id<T>(&self, name: &'static str) -> Result<Option<T>, Problem>
    where
        T: for<'a> TryFrom<&'a str, Error = IdError>,
    {
        let id = |text: Cow<'_, str>| T::try_from(&*text);
        self.text(name)?.map(id).transpose().map_err(|error| Problem::malformed(name, error))
    }

    /// A name to show.
    pub(super) fn name(&self, name: &'static str) -> Result<Option<Text>, Problem> {
        let text = self.text(name)?;
        match &text {
            Some(text) => {
                within(name, text, MAX_NAME_LEN)?;
                Ok(Some(Text::from(&**text)))
            }
            None => Ok(None),
        }
    }

    pub(super) fn role(&self) -> Result<Option<Role>, Problem> {
        Ok(self.name("Role")?.map(Role::new))
    }

    pub(super) fn lifecycle(&self) -> Result<Option<Lifecycle>, Problem> {
        let lifecycle = self.text("Lifecycle")?.map(|name| settings::lifecycle(&name));
        lifecycle.transpose().map_err(|reason| Problem::malformed("Lifecycle", reason))
    }

    /// A whole number, not below 0.
    pub(super) fn number<T: FromStr>(&self, name: &'static str) -> Result<Option<T>, Problem> {
        let number = self.text(name)?.map(|text| text.parse());
        number.transpose().map_err(|_| Problem::malformed(name, "it is no whole number"))
    }

    /// Attributes to begin with; one that is null is not set.
    pub(super) fn attributes(&self) -> Result<Attributes, Problem> {
        let set = self.attribute_update()?.into_iter();
        Ok(set.filter_map(|(key, value)| value.map(|value| (key, value))).collect())
    }

    /// Attributes to set, or with null to take away.
    pub(super) fn attribute_update(&self) -> Result<BTreeMap<Text, Option<Text>>, Problem> {
        const NAME: &str = "Attributes";
        const SHAPE: &str = "it is no JSON object of texts";
        let members = match self.0.get(NAME) {
            None => return Ok(BTreeMap::new()),
            Some(Value::String(text)) => serde_json::from_str::<Members>(text),
            Some(value) => serde_json::from_value::<Members>(value.clone()),
        };
        let members = members.map_err(|_| Problem::malformed(NAME, SHAPE))?.0;
        if members.len() > Attributes::MAX_LEN {
            let reason = format!("more than {} are too many", Attributes::MAX_LEN);
            return Err(Problem::malformed(NAME, reason));
        }
        let mut update = BTreeMap::new();
        for (key, value) in members {
            within(NAME, &key, Attributes::MAX_KEY_LEN)?;
            let value = match value {
                Value::Null => None,
                Value::String(value) => {
                    within(NAME, &value, Attributes::MAX_VALUE_LEN)?;
                    Some(Text::from(value))
                }
                _ => return Err(Problem::malformed(NAME, SHAPE)),
            };
            if update.insert(Text::from(key), value).is_some() {
                return Err(Problem::malformed(NAME, "a key stands twice"));
            }
        }
        Ok(update)
    }

    /// Which page is wanted.
    pub(super) fn page(&self) -> Result<Page, Problem> {
        let limit = match self.text("Limit")? {
            None => DEFAULT_LIMIT,
            Some(limit) => match limit.parse::<usize>() {
                Ok(limit) if limit > 0 => limit.min(MAX_LIMIT),
                _ => return Err(Problem::malformed("Limit", "it is no number above 0")),
            },
        };
        let cursor = self.text("Cursor")?.filter(|cursor| !cursor.is_empty());
        if let Some(cursor) = &cursor {
            within("Cursor", cursor, MAX_CURSOR_LEN)?;
        }
        Ok(Page { limit, cursor: cursor.map(Cow::into_owned) })
    }

    pub(super) fn order(&self) -> Result<RoomOrder, Problem> {
        match self.text("Order")?.as_deref() {
            None | Some("newest") => Ok(RoomOrder::Newest),
            Some("oldest") => Ok(RoomOrder::Oldest),
            Some("most_users") => Ok(RoomOrder::MostUsers),
            Some("id") => Ok(RoomOrder::Id),
            Some(_) => {
                Err(Problem::malformed("Order", "not one of newest, oldest, most_users and id"))
            }
        }
    }
}

/// The media type of a body, without its parameters.
pub(super) fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next()?.trim().to_ascii_lowercase())
}

/// The names and values of a form, decoded; none if one is not UTF-8.
fn pairs(form: &str) -> impl Iterator<Item = (Option<String>, Option<String>)> {
    form.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    })
}

/// A text of a form, decoded; none if it is not UTF-8.
fn decoded(text: &str) -> Option<String> {
    let text = text.replace('+', " ");
    percent_decode_str(&text).decode_utf8().ok().map(Cow::into_owned)
}

fn within(name: &'static str, text: &str, limit: usize) -> Result<(), Problem> {
    if text.len() > limit {
        let reason = format!("{} bytes are too long, {limit} are allowed", text.len());
        return Err(Problem::malformed(name, reason));
    }
    Ok(())
}

/// A name from outside, for a message: escaped, and cut.
fn shown(name: &str) -> Cow<'static, str> {
    name.chars().take(64).flat_map(char::escape_debug).collect::<String>().into()
}

/// The members of an object in their order, repeated ones too.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Members, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = object.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}
