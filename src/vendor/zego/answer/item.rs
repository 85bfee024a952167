//! What the lists of answers hold, field by field.

use serde::de::{IgnoredAny, MapAccess};

use crate::model::callback::StreamDetails;
use crate::model::observation::{ObservedStream, ObservedUser};
use crate::model::time::Timestamp;
use crate::vendor::zego::answer::{
    StreamList, UserCount, UserCounts, UserPage, UserStatus, UserStatuses,
};
use crate::vendor::zego::any::FromAny;
use crate::vendor::zego::body::{Body, Fields, fields};
use crate::vendor::zego::code::role;
use crate::vendor::zego::problem::{Fault, Problem};
use crate::vendor::zego::scalar::Scalar;

/// The data of an answer, made of its list.
pub(super) trait Data: Sized {
    type Item: Item;

    fn new(items: Vec<Self::Item>, marker: Scalar<'_>) -> Result<Self, Problem>;

    /// Forgets what the users are in the room.
    fn forget_roles(&mut self) {}
}

/// What a list of an answer holds.
pub(super) trait Item: Sized {
    /// The name that the vendor gives to the question.
    const QUESTION: &'static str;
    /// The field that holds the list.
    const LIST: &'static str;

    fn read(row: &mut Row<'_, '_>) -> Result<Self, Problem>;
}

/// An entry of a list.
pub(super) type Row<'a, 'de> = Body<'a, Values<'de>>;

impl Data for UserPage {
    type Item = ObservedUser;

    /// A page with users must tell whether it is the last. Guessing that it is would make everybody
    /// on later pages absent.
    fn new(users: Vec<ObservedUser>, marker: Scalar<'_>) -> Result<Self, Problem> {
        let fault = match &marker {
            Scalar::Missing if !users.is_empty() => Fault::Missing,
            Scalar::Odd(_) => marker.neither(),
            _ => return Ok(Self { users, marker: marker.into_text() }),
        };
        Err(Problem::Field { body: ObservedUser::QUESTION, field: "Marker", fault })
    }

    fn forget_roles(&mut self) {
        self.users.iter_mut().for_each(|user| user.role = None);
    }
}

impl Data for UserStatuses {
    type Item = UserStatus;

    fn new(users: Vec<UserStatus>, _: Scalar<'_>) -> Result<Self, Problem> {
        Ok(Self { users })
    }

    fn forget_roles(&mut self) {
        self.users.iter_mut().for_each(|user| user.role = None);
    }
}

/// Declares data that are a list and nothing else.
macro_rules! list_alone {
    ($($data:ident { $list:ident: $item:ty })+) => {$(
        impl Data for $data {
            type Item = $item;

            fn new($list: Vec<$item>, _: Scalar<'_>) -> Result<Self, Problem> {
                Ok(Self { $list })
            }
        }
    )+};
}

list_alone! {
    StreamList { streams: ObservedStream }
    UserCounts { rooms: UserCount }
}

impl Item for ObservedUser {
    const QUESTION: &'static str = "DescribeUserList";
    const LIST: &'static str = "UserList";

    fn read(row: &mut Row<'_, '_>) -> Result<Self, Problem> {
        Ok(Self {
            user_id: row.id(Field::UserId)?,
            user_name: row.text(Field::UserName),
            role: role(row.take(Field::UserRole)),
            login_at: None,
        })
    }
}

impl Item for UserStatus {
    const QUESTION: &'static str = "DescribeUsers";
    const LIST: &'static str = "UserStatusList";

    fn read(row: &mut Row<'_, '_>) -> Result<Self, Problem> {
        Ok(Self {
            is_present: row.read(Field::Status, Scalar::required_signed)? == 1,
            user_id: row.id(Field::UserId)?,
            login_at: known_time(row, Field::LoginTime)?,
            role: role(row.take(Field::UserRole)),
        })
    }
}

impl Item for ObservedStream {
    const QUESTION: &'static str = "DescribeSimpleStreamList";
    const LIST: &'static str = "StreamList";

    fn read(row: &mut Row<'_, '_>) -> Result<Self, Problem> {
        let publisher_id = row.optional_id(Field::UserId)?;
        let publisher_name = row.text(Field::UserName);
        Ok(Self {
            stream_id: row.id(Field::StreamId)?,
            created_at: known_time(row, Field::CreateTime)?,
            details: StreamDetails { publisher_id, publisher_name, ..StreamDetails::default() },
        })
    }
}

impl Item for UserCount {
    const QUESTION: &'static str = "DescribeUserNum";
    const LIST: &'static str = "UserCountList";

    fn read(row: &mut Row<'_, '_>) -> Result<Self, Problem> {
        Ok(Self {
            room_id: row.id(Field::RoomId)?,
            users: row.number(Field::UserCount)?,
            administrators: row.optional_number(Field::AdminUserCount)?.unwrap_or(0),
        })
    }
}

/// Reads a time that may be missing. The vendor also gives 0 for none.
fn known_time(row: &Row<'_, '_>, field: Field) -> Result<Option<Timestamp>, Problem> {
    Ok(row.optional_time(field)?.filter(|at| *at > Timestamp::MIN))
}

fields! {
    UserId = "UserId",
    UserName = "UserName",
    UserRole = "UserRole",
    Status = "Status",
    LoginTime = "LoginTime",
    StreamId = "StreamId",
    CreateTime = "CreateTime",
    RoomId = "RoomId",
    UserCount = "UserCount",
    AdminUserCount = "AdminUserCount",
}

/// Reads an object; anything else is `None`.
impl<'de> FromAny<'de> for Option<Values<'de>> {
    fn from_scalar(_: Scalar<'de>) -> Self {
        None
    }

    fn from_object<A: MapAccess<'de>>(mut object: A) -> Result<Self, A::Error> {
        let mut values = Values::EMPTY;
        while let Some(key) = object.next_key::<Scalar<'de>>()? {
            match key.as_text().and_then(Field::named) {
                Some(field) => *values.value_mut(field) = object.next_value()?,
                None => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Some(values))
    }
}
