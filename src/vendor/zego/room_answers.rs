//! Puts the answers about one room together.

use std::collections::BTreeSet;

use crate::model::id::{RoomId, UserId};
use crate::model::observation::{Observation, ObservedStream, ObservedUser};
use crate::model::text::Text;
use crate::model::time::Timestamp;
use crate::vendor::zego::answer::{Answer, Failure, StreamList, UserPage};

/// The answers about one room: page after page of its users, and its streams.
///
/// Ask for as much as you want, hand the answers in, and make an [`Observation`] of them. You may
/// stop at any time. A list with missing pages is partial, and says nobody is absent. A list that
/// you did not ask for says nothing.
///
/// Ask for the pages in ascending order (`Mode` 0), so that whoever comes meanwhile is on a later
/// page. A user on two pages counts once. If a page brings nobody new but is not the last, asking
/// ends and the list stays partial. So no answer can keep the application asking for ever.
///
/// "No such room" is an answer: the room is not open. If another answer lists somebody or something,
/// the room ended meanwhile, and only the list that was asked for last is empty. Any other failure
/// adds nothing, and what the other answers told still counts. So hand in a good list of users even
/// if the question for streams fails.
///
/// # Example
///
/// ```
/// # fn get(question: &str, _room_id: &str, marker: &str) -> &'static str {
/// #     match (question, marker) {
/// #         ("DescribeUserList", "") => r#"{"Code":0,"Data":{"Marker":"b7","UserList":[{"UserId":"ann"}]}}"#,
/// #         ("DescribeUserList", _) => r#"{"Code":0,"Data":{"Marker":"","UserList":[{"UserId":"bob"}]}}"#,
/// #         _ => r#"{"Code":0,"Data":{"StreamList":[]}}"#,
/// #     }
/// # }
/// # use room_registry::{Config, ManualClock};
/// use room_registry::{Clock, RoomId, RoomRegistry};
/// use room_registry::vendor::zego::{Answer, RoomAnswers, StreamList, UserPage};
///
/// # let clock = ManualClock::at(room_registry::Timestamp::from_secs(1_763_596_800));
/// # let mut registry = RoomRegistry::with_clock(Config::default(), clock.clone());
/// let mut answers = RoomAnswers::new(RoomId::new("r1")?, clock.now());
/// while let Some(marker) = answers.next_marker() {
///     let body = get("DescribeUserList", "r1", marker); // your HTTP client
///     answers.add_users(serde_json::from_str::<Answer<UserPage>>(body)?)?;
/// }
/// let body = get("DescribeSimpleStreamList", "r1", "");
/// if let Err(failure) = answers.add_streams(serde_json::from_str::<Answer<StreamList>>(body)?) {
///     println!("the streams are not known: {failure}");
/// }
/// registry.apply_observation(&answers.observation())?;
///
/// assert_eq!(registry.room("r1").unwrap().user_count(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomAnswers {
    room_id: RoomId,
    asked_at: Timestamp,
    users: Vec<ObservedUser>,
    known: BTreeSet<UserId>,
    pages: Pages,
    streams: Streams,
}

/// How far the application has read the pages.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Pages {
    /// It has read none.
    Unread,
    /// The next page has this marker.
    UpTo(Text),
    /// It has read all.
    Read,
    /// There is a next page, but asking for it would not end, or the room ended meanwhile.
    Unfinished,
    /// There is no such room.
    NoSuchRoom,
}

/// What the application knows of the streams.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Streams {
    /// Nothing.
    Unread,
    /// All of them.
    Read(Vec<ObservedStream>),
    /// There is no such room.
    NoSuchRoom,
}

/// Writes the example of a method that is called on fresh answers.
macro_rules! answers_example {
    ($($line:literal),+) => {
        concat!(
            "```\n",
            "# use room_registry::{RoomId, Timestamp, repair::ObservedList};\n",
            "# use room_registry::vendor::zego::{Answer, RoomAnswers, StreamList, UserPage};\n",
            "# let mut answers = RoomAnswers::new(RoomId::new(\"r1\")?, Timestamp::from_secs(9));\n",
            $($line, "\n",)+
            "# Ok::<(), Box<dyn std::error::Error>>(())\n",
            "```"
        )
    };
}

impl RoomAnswers {
    /// Starts without any answer.
    ///
    /// `asked_at` is the moment before the first question is sent, whichever it is. The clock must
    /// agree with the clock of the vendor. Callbacks alone decide about later changes.
    ///
    #[doc = answers_example!("assert_eq!(answers.observation().observed_at, Timestamp::from_secs(9));")]
    #[must_use]
    pub fn new(room_id: RoomId, asked_at: Timestamp) -> Self {
        Self {
            room_id,
            asked_at,
            users: Vec::new(),
            known: BTreeSet::new(),
            pages: Pages::Unread,
            streams: Streams::Unread,
        }
    }

    /// Takes in the page that [`next_marker`](Self::next_marker) asked for. A page after the last
    /// one is ignored. Cost: the page, times the logarithm of the users.
    ///
    /// # Errors
    ///
    /// [`Failure`], and nothing changes, if the vendor did not answer the question. That there is
    /// [no such room](Failure::is_no_such_room) is an answer.
    ///
    #[doc = answers_example!(
        "let body = r#\"{\"Code\":0,\"Data\":{\"Marker\":\"b7\",\"UserList\":[{\"UserId\":\"ann\"}]}}\"#;",
        "answers.add_users(serde_json::from_str::<Answer<UserPage>>(body)?)?;",
        "assert_eq!(answers.next_marker(), Some(\"b7\"));",
        "assert!(matches!(answers.observation().users, ObservedList::Partial(users) if users.len() == 1));"
    )]
    pub fn add_users(&mut self, answer: Answer<UserPage>) -> Result<(), Failure> {
        let page = match answer.data {
            Ok(page) => Some(page),
            Err(failure) if failure.is_no_such_room() => None,
            Err(failure) => return Err(failure),
        };
        match (&self.pages, page) {
            (Pages::Unread | Pages::UpTo(_), Some(page)) => self.add_page(page),
            (Pages::Unread | Pages::UpTo(_), None) if self.users.is_empty() => {
                self.pages = Pages::NoSuchRoom;
            }
            (Pages::Unread | Pages::UpTo(_), None) => self.pages = Pages::Unfinished,
            (Pages::Read | Pages::Unfinished | Pages::NoSuchRoom, _) => {}
        }
        Ok(())
    }

    fn add_page(&mut self, page: UserPage) {
        let before = self.users.len();
        let (is_empty, known) = (page.users.is_empty(), &mut self.known);
        self.users.extend(page.users.into_iter().filter(|user| known.insert(user.user_id.clone())));
        self.pages = match page.marker {
            None => Pages::Read,
            Some(_) if is_empty => Pages::Read,
            Some(_) if self.users.len() == before => Pages::Unfinished,
            Some(marker) => Pages::UpTo(marker),
        };
    }

    /// Takes in the list of streams. A later list replaces it. A stream that is in the list twice
    /// counts once. Cost: the list, times its logarithm.
    ///
    /// # Errors
    ///
    /// As [`add_users`](Self::add_users).
    ///
    #[doc = answers_example!(
        "let body = r#\"{\"Code\":0,\"Data\":{\"StreamList\":[{\"StreamId\":\"camera\"}]}}\"#;",
        "answers.add_streams(serde_json::from_str::<Answer<StreamList>>(body)?)?;",
        "assert!(matches!(answers.observation().streams, ObservedList::Complete(streams) if streams.len() == 1));"
    )]
    pub fn add_streams(&mut self, answer: Answer<StreamList>) -> Result<(), Failure> {
        self.streams = match answer.data {
            Ok(StreamList { mut streams }) => {
                let mut known = BTreeSet::new();
                streams.retain(|stream| known.insert(stream.stream_id.clone()));
                Streams::Read(streams)
            }
            Err(failure) if failure.is_no_such_room() => Streams::NoSuchRoom,
            Err(failure) => return Err(failure),
        };
        Ok(())
    }

    /// Returns the marker of the page to ask for next. It is empty for the first page, and `None` if
    /// there is no page left.
    ///
    #[doc = answers_example!("assert_eq!(answers.next_marker(), Some(\"\"));")]
    #[must_use]
    pub fn next_marker(&self) -> Option<&str> {
        match &self.pages {
            Pages::Unread => Some(""),
            Pages::UpTo(marker) => Some(marker),
            Pages::Read | Pages::Unfinished | Pages::NoSuchRoom => None,
        }
    }

    /// Makes an observation of the answers. If all pages were read and nobody was on them, nobody is
    /// in the room, or there is no such room. If an answer said that there is none, the room is not
    /// open, unless another lists somebody or something.
    ///
    #[doc = answers_example!("assert_eq!(answers.observation().users, ObservedList::NotAsked);")]
    #[must_use]
    pub fn observation(self) -> Observation {
        let is_empty = self.users.is_empty()
            && !matches!(&self.streams, Streams::Read(streams) if !streams.is_empty());
        let there_is_none = self.pages == Pages::NoSuchRoom || self.streams == Streams::NoSuchRoom;
        let observation = Observation::new(self.room_id, self.asked_at);
        if is_empty && there_is_none {
            return observation.open(false);
        }
        let observation = match self.pages {
            Pages::Unread => observation,
            Pages::UpTo(_) | Pages::Unfinished => observation.some_users(self.users),
            Pages::Read | Pages::NoSuchRoom => observation.users(self.users),
        };
        match self.streams {
            Streams::Unread => observation,
            Streams::Read(streams) => observation.streams(streams),
            Streams::NoSuchRoom => observation.streams([]),
        }
    }
}
