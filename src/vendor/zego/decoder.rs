//! Options of the decoder.

use serde::Deserializer;

/// Decodes bodies in another way than the default one.
///
/// Without options it decodes as the types do by themselves, through [`serde::Deserialize`]. A decoder is a
/// small value: make one, keep it, and use the same for callbacks and for answers.
///
/// # Example
///
/// ```
/// use room_registry::event::CallbackEvent;
/// use room_registry::vendor::zego::{Decoder, Event};
///
/// let decoder = Decoder::new().ignore_user_role(true);
/// let body = r#"{"event":"room_login","room_id":"r1","room_seq":"1","user_account":"ann",
///                "session_id":"7","login_time":"1763596800027","user_role":"1"}"#;
/// let event = decoder.deserialize(&mut serde_json::Deserializer::from_str(body))?;
/// let Event::Callback(callback) = event else { unreachable!("it is a login") };
/// let CallbackEvent::UserLoggedIn(login) = callback.event else { unreachable!("it is a login") };
/// assert_eq!(login.details.role, None);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Decoder {
    ignore_user_role: bool,
    order_users: bool,
}

impl Decoder {
    /// Makes a decoder without options.
    ///
    /// ```
    /// # use room_registry::vendor::zego::Decoder;
    /// assert_eq!(Decoder::new(), Decoder::default());
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self { ignore_user_role: false, order_users: false }
    }

    /// Ignores what a user is in the room, in logins and in answers. Default: `false`.
    ///
    /// Turn it on if your clients use the vendor's newer SDK, Express. The role has a meaning for the
    /// older SDK, `LiveRoom`, alone; with Express, it marks everybody a host. Leave it off if all of
    /// your clients use `LiveRoom`.
    ///
    /// Users then have the roles that your commands give them, and no others. So the vendor's
    /// recorders and moderators are no longer marked as [administrators](crate::Role::ADMINISTRATOR).
    ///
    /// ```
    /// # use room_registry::vendor::zego::{Answer, Decoder, UserPage};
    /// let body = r#"{"Code":0,"Data":{"Marker":"","UserList":[{"UserId":"ann","UserRole":1}]}}"#;
    /// let mut json = serde_json::Deserializer::from_str(body);
    /// let answer: Answer<UserPage> = Decoder::new().ignore_user_role(true).deserialize(&mut json)?;
    /// assert_eq!(answer.into_data()?.users[0].role, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn ignore_user_role(mut self, ignore: bool) -> Self {
        self.ignore_user_role = ignore;
        self
    }

    /// Orders the logins and logouts of each user by event time, even if they have a `session_id`. Default:
    /// `false`.
    ///
    /// Turn it on if your users come back under the `session_id` that they had. Without it, such a login
    /// stays hidden if it comes within the clock skew of a logout that tells no login time. With it, a
    /// second device of a user replaces the first. The stamps of one user's events must then be in the
    /// order of the events.
    ///
    /// ```
    /// # use room_registry::event::CallbackEvent;
    /// # use room_registry::vendor::zego::{Decoder, Event};
    /// let body = r#"{"event":"room_login","room_id":"r1","room_seq":"1","user_account":"ann",
    ///                "session_id":"7","login_time":"1763596800027"}"#;
    /// let mut json = serde_json::Deserializer::from_str(body);
    /// let event = Decoder::new().order_users(true).deserialize(&mut json)?;
    /// let Event::Callback(callback) = event else { unreachable!("it is a login") };
    /// let CallbackEvent::UserLoggedIn(login) = callback.event else { unreachable!("it is a login") };
    /// assert_eq!(login.order, Some(1_763_596_800_027));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub const fn order_users(mut self, order: bool) -> Self {
        self.order_users = order;
        self
    }

    /// Decodes a body with a serde format that reads JSON, in one pass. What may stand behind the body
    /// is left to the format, as by [`serde::Deserialize`].
    ///
    /// # Errors
    ///
    /// The errors are those of the format, and those that the module names.
    ///
    /// ```
    /// # use room_registry::vendor::zego::{Decoder, Event};
    /// let mut json = serde_json::Deserializer::from_str(r#"{"event":"ping"}"#);
    /// let event: Event = Decoder::new().deserialize(&mut json)?;
    /// assert_eq!(event, Event::Other("ping".into()));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn deserialize<'de, T: Decode, D: Deserializer<'de>>(self, body: D) -> Result<T, D::Error> {
        T::read(body, self)
    }

    pub(super) const fn orders_users(self) -> bool {
        self.order_users
    }

    pub(super) const fn ignores_user_role(self) -> bool {
        self.ignore_user_role
    }
}

/// What a [`Decoder`] decodes a body to. No other type can be.
///
/// It is an [`Event`](crate::vendor::zego::Event), a
/// [`Notification`](crate::vendor::zego::Notification), or an
/// [`Answer`](crate::vendor::zego::Answer).
pub trait Decode: sealed::Read {}

impl<T: sealed::Read> Decode for T {}

pub(super) mod sealed {
    use serde::Deserializer;

    /// A type that reads a body with options.
    pub trait Read: Sized {
        fn read<'de, D: Deserializer<'de>>(
            body: D,
            decoder: super::Decoder,
        ) -> Result<Self, D::Error>;
    }
}
