//! What tells the stays of one user or stream apart, as the setters of four events.

/// Writes the setters that events of users and of streams share.
macro_rules! stay_setters {
    (
        $event:ty,
        $stay:ident: $stay_type:ty,
        $counts:literal,
        $example:literal
    ) => {
        impl $event {
            /// Sets the id of the stay: of one period for which the user or stream is there. Its opening
            /// and its closing have the same id. Without an id, or with an order, the last event counts.
            ///
            #[doc = concat!("```\n", $example, "\nlet event = event.", stringify!($stay), "(",
                stringify!($stay_type), "::new(\"7\")?);\nassert_eq!(event.", stringify!($stay),
                ".unwrap(), \"7\");\n# Ok::<(), room_registry::IdError>(())\n```")]
            #[must_use]
            pub fn $stay(mut self, id: impl Into<Option<$stay_type>>) -> Self {
                self.$stay = id.into();
                self
            }

            #[doc = concat!("Sets the counter of ", $counts, " in the session of the room. A number that")]
            /// is missing between two tells that a callback was lost. 0 does not count as a number.
            ///
            #[doc = concat!("```\n", $example, "\nassert_eq!(event.counter(3).counter, Some(3));",
                "\n# Ok::<(), room_registry::IdError>(())\n```")]
            #[must_use]
            pub fn counter(mut self, counter: impl Into<Option<u64>>) -> Self {
                self.counter = counter.into();
                self
            }

            /// Sets the order of all events of the user or stream: the highest is the last. It need not
            /// be consecutive. Set it in openings and closings alike, or in neither.
            ///
            #[doc = concat!("```\n", $example, "\nassert_eq!(event.order(3).order, Some(3));",
                "\n# Ok::<(), room_registry::IdError>(())\n```")]
            #[must_use]
            pub fn order(mut self, order: impl Into<Option<u64>>) -> Self {
                self.order = order.into();
                self
            }

            /// Sets whether the stay excludes others of the same user or stream; it does by default. If
            /// one may be there more than once, as with two devices, set it to false in openings and
            /// closings alike. It means something only if the stay has an id and no order.
            ///
            #[doc = concat!("```\n", $example, "\nassert!(!event.exclusive(false).exclusive);",
                "\n# Ok::<(), room_registry::IdError>(())\n```")]
            #[must_use]
            pub fn exclusive(mut self, exclusive: bool) -> Self {
                self.exclusive = exclusive;
                self
            }
        }
    };
}

/// Writes the setters that closings of users and of streams share.
macro_rules! closing_setters {
    ($event:ty, $opened_at:ident, $reason:ty, $example:literal, $reason_example:literal) => {
        impl $event {
            /// Sets when the stay that ended began. Set it only if the vendor gives the opening time of
            /// that very stay, and not that of another one.
            ///
            #[doc = concat!("```\n", $example, "\nlet event = event.", stringify!($opened_at),
                "(Timestamp::from_secs(1));\nassert_eq!(event.", stringify!($opened_at),
                ", Some(Timestamp::from_secs(1)));\n# Ok::<(), room_registry::IdError>(())\n```")]
            #[must_use]
            pub fn $opened_at(mut self, at: impl Into<Option<Timestamp>>) -> Self {
                self.$opened_at = at.into();
                self
            }

            /// Sets why it ended, for the application. It decides nothing.
            ///
            #[doc = concat!("```\n", $example, "\nuse room_registry::event::", stringify!($reason),
                ";\nlet event = event.reason(", $reason_example, ");\nassert_eq!(event.reason, Some(",
                $reason_example, "));\n# Ok::<(), room_registry::IdError>(())\n```")]
            #[must_use]
            pub fn reason(mut self, reason: impl Into<Option<$reason>>) -> Self {
                self.reason = reason.into();
                self
            }

            /// Sets whether the closing may come without an opening. Set it on closings that you infer
            /// from other events. Then a missing opening is no sign of loss. Default: false.
            ///
            #[doc = concat!("```\n", $example, "\nassert!(event.opening_optional(true).opening_optional);",
                "\n# Ok::<(), room_registry::IdError>(())\n```")]
            #[must_use]
            pub fn opening_optional(mut self, optional: bool) -> Self {
                self.opening_optional = optional;
                self
            }
        }
    };
}

pub(super) use {closing_setters, stay_setters};
