//! What a platform's records can show, as far as what is expected and checked of every platform
//! depends on it.

/// Asked instead of a platform's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Capabilities {
    /// A call without recordings can be sent there.
    pub(crate) takes_calls_without_recordings: bool,
    /// The platform was told of each call by events, and shows no more of it than events can say: a
    /// skill only with its queue, a wrap-up code only with an agent.
    pub(crate) told_by_events: bool,
    /// Where attributes, queue, skill and wrap-up code of a call stand.
    pub(crate) call_data: CallData,
    /// What the times of a call's legs are.
    pub(crate) leg_times: LegTimes,
    /// Every call shows a customer, so that one without any number is none.
    pub(crate) always_shows_a_customer: bool,
    /// What it writes as the direction of a call that has none. Absent: it writes nothing.
    pub(crate) no_direction: Option<&'static str>,
    /// Each recording carries the date of its deletion. Otherwise rules of the platform lead to it.
    pub(crate) recordings_have_deletion_dates: bool,
    /// A recording that somebody has deleted stays listed, with its state and without its media.
    pub(crate) lists_deleted_recordings: bool,
    /// It always says when a recording was put there.
    pub(crate) tells_when_stored: bool,
    /// A call is kept as long as the class of any of its recordings keeps it.
    pub(crate) longest_class_keeps_the_call: bool,
}

/// Where attributes, queue, skill and wrap-up code of a call stand, and so what they are lost with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallData {
    /// On its participants: attributes on the customer, the others on the agents.
    OnParticipants,
    /// All together, beside the participants.
    Together,
}

/// What the times of legs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LegTimes {
    /// Those of the leg, or of a recording that was made on it.
    OfLegOrRecording,
    /// Those of the leg.
    OfLeg,
    /// Those of the leg, from an event of joining and one of leaving; the customer's are the
    /// call's.
    JoinedAndLeft,
}
