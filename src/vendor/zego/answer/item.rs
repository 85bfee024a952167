//! What the lists of answers hold, field by field.

use crate::model::callback::StreamDetails;
use crate::model::observation::{ObservedStream, ObservedUser};
use crate::model::text::Text;
use crate::model::time::Timestamp;
use crate::vendor::zego::answer::{
    StreamList, UserCount, UserCounts, UserPage, UserStatus, UserStatuses,
};
use crate::vendor::zego::code::role;
use crate::vendor::zego::problem::{Place, Problem};
use crate::vendor::zego::scalar::Scalar;

/// The data of an answer, made of its list.
pub(super) trait Data: Sized {
    type Item: Item;

    fn of(items: Vec<Self::Item>, marker: &mut Scalar<'_>) -> Result<Self, Problem>;
}

/// What a list of an answer holds.
pub(super) trait Item: Sized {
    /// The vendor's name of the question.
    const QUESTION: &'static str;
    /// The field that holds the list.
    const LIST: &'static str;

    fn of(row: Row<'_>) -> Result<Self, Problem>;
}

impl Data for UserPage {
    type Item = ObservedUser;

    /// A page with users on it must tell whether it is the last: to guess that it is would be to
    /// take everybody on later pages for gone.
    fn of(users: Vec<ObservedUser>, marker: &mut Scalar<'_>) -> Result<Self, Problem> {
        let place = Place { body: ObservedUser::QUESTION, field: "Marker" };
        match std::mem::take(marker) {
            Scalar::Missing if !users.is_empty() => Err(place.missing()),
            odd @ Scalar::Odd(_) => Err(place.not_a_text(&odd)),
            marker => Ok(Self { users, marker: marker.into_text() }),
        }
    }
}

impl Data for UserStatuses {
    type Item = UserStatus;

    fn of(users: Vec<UserStatus>, _: &mut Scalar<'_>) -> Result<Self, Problem> {
        Ok(Self { users })
    }
}

impl Data for StreamList {
    type Item = ObservedStream;

    fn of(streams: Vec<ObservedStream>, _: &mut Scalar<'_>) -> Result<Self, Problem> {
        Ok(Self { streams })
    }
}

impl Data for UserCounts {
    type Item = UserCount;

    fn of(rooms: Vec<UserCount>, _: &mut Scalar<'_>) -> Result<Self, Problem> {
        Ok(Self { rooms })
    }
}

impl Item for ObservedUser {
    const QUESTION: &'static str = "DescribeUserList";
    const LIST: &'static str = "UserList";

    fn of(mut row: Row<'_>) -> Result<Self, Problem> {
        Ok(Self {
            user_id: Self::at(Field::UserId).id(row.take(Field::UserId))?,
            user_name: row.text(Field::UserName),
            role: role(row.take(Field::UserRole)),
            login_at: None,
        })
    }
}

impl Item for UserStatus {
    const QUESTION: &'static str = "DescribeUsers";
    const LIST: &'static str = "UserStatusList";

    fn of(mut row: Row<'_>) -> Result<Self, Problem> {
        let (place, status) = (Self::at(Field::Status), row.take(Field::Status));
        let is_present = match status.signed() {
            Some(status) => status == 1,
            None if status.is_blank() => return Err(place.missing()),
            None => return Err(place.not_a_number(&status)),
        };
        Ok(Self {
            user_id: Self::at(Field::UserId).id(row.take(Field::UserId))?,
            is_present,
            login_at: Self::told_time(Field::LoginTime, &row)?,
            role: role(row.take(Field::UserRole)),
        })
    }
}

impl Item for ObservedStream {
    const QUESTION: &'static str = "DescribeSimpleStreamList";
    const LIST: &'static str = "StreamList";

    fn of(mut row: Row<'_>) -> Result<Self, Problem> {
        let publisher_id = row.take(Field::UserId);
        let is_known = !publisher_id.is_blank();
        let publisher_id =
            is_known.then(|| Self::at(Field::UserId).id(publisher_id)).transpose()?;
        let publisher_name = row.text(Field::UserName);
        Ok(Self {
            stream_id: Self::at(Field::StreamId).id(row.take(Field::StreamId))?,
            created_at: Self::told_time(Field::CreateTime, &row)?,
            details: StreamDetails { publisher_id, publisher_name, ..StreamDetails::default() },
        })
    }
}

impl Item for UserCount {
    const QUESTION: &'static str = "DescribeUserNum";
    const LIST: &'static str = "UserCountList";

    fn of(mut row: Row<'_>) -> Result<Self, Problem> {
        let users = Self::at(Field::UserCount);
        let administrators = Self::at(Field::AdminUserCount);
        Ok(Self {
            room_id: Self::at(Field::RoomId).id(row.take(Field::RoomId))?,
            users: users.number(row.field(Field::UserCount))?.ok_or_else(|| users.missing())?,
            administrators: administrators.number(row.field(Field::AdminUserCount))?.unwrap_or(0),
        })
    }
}

/// What items share.
trait ItemExt: Item {
    fn at(field: Field) -> Place {
        Place { body: Self::QUESTION, field: field.name() }
    }

    /// A time that may be missing, and is 0 where there is none.
    fn told_time(field: Field, row: &Row<'_>) -> Result<Option<Timestamp>, Problem> {
        let at = Self::at(field).time(row.field(field))?;
        Ok(at.filter(|at| *at > Timestamp::MIN))
    }
}

impl<T: Item> ItemExt for T {}

/// A field of an item.
#[derive(Debug, Clone, Copy)]
enum Field {
    UserId,
    UserName,
    UserRole,
    Status,
    LoginTime,
    StreamId,
    CreateTime,
    RoomId,
    UserCount,
    AdminUserCount,
}

impl Field {
    const ALL: [Self; 10] = [
        Self::UserId,
        Self::UserName,
        Self::UserRole,
        Self::Status,
        Self::LoginTime,
        Self::StreamId,
        Self::CreateTime,
        Self::RoomId,
        Self::UserCount,
        Self::AdminUserCount,
    ];

    /// Its name on the wire.
    const fn name(self) -> &'static str {
        match self {
            Self::UserId => "UserId",
            Self::UserName => "UserName",
            Self::UserRole => "UserRole",
            Self::Status => "Status",
            Self::LoginTime => "LoginTime",
            Self::StreamId => "StreamId",
            Self::CreateTime => "CreateTime",
            Self::RoomId => "RoomId",
            Self::UserCount => "UserCount",
            Self::AdminUserCount => "AdminUserCount",
        }
    }
}

/// The fields of an item, as they came.
#[derive(Debug, Default)]
pub(super) struct Row<'de>([Scalar<'de>; Field::ALL.len()]);

impl<'de> Row<'de> {
    /// The place of a field, where anybody reads it.
    pub(super) fn named(&mut self, name: &str) -> Option<&mut Scalar<'de>> {
        let field = Field::ALL.into_iter().find(|field| field.name() == name)?;
        Some(&mut self.0[field as usize])
    }

    fn field(&self, field: Field) -> &Scalar<'de> {
        &self.0[field as usize]
    }

    fn take(&mut self, field: Field) -> Scalar<'de> {
        std::mem::take(&mut self.0[field as usize])
    }

    fn text(&mut self, field: Field) -> Option<Text> {
        self.take(field).into_text()
    }
}
