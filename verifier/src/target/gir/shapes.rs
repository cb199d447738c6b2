//! Shapes of Interaction Recording's answers. Source: Search, Playback, and Delete API, sample;
//! Return Values 8.5.2. What users write is a text here, whatever it should be: a damaged time is a
//! finding, not drift.

use crate::drift::Shape::{self, Any, List, Number, Object, Text, Truth};

/// Of every refusal. Source: Return Values 8.5.2.
pub(super) static ERROR: Shape = Object(&[("*statusCode", Number), ("statusMessage", Text)], "");

/// One recording in its envelope.
pub(super) static ONE: Shape = Object(&[("*statusCode", Number), ("*recording", RECORDING)], "");

/// Addresses of recordings.
pub(super) static FOUND: Shape = Object(
    &[
        ("*statusCode", Number),
        ("*uris", List(&Text)),
        ("paging", Any),
    ],
    "",
);

const RECORDING: Shape = Object(
    &[
        ("*id", Text),
        ("callerPhoneNumber", Text),
        ("dialedPhoneNumber", Text),
        ("region", Text),
        ("callType", Text),
        ("startTime", Text),
        ("stopTime", Text),
        ("mediaFiles", List(&MEDIA)),
        ("eventHistory", List(&EVENT)),
        ("labels", List(&LABEL)),
        ("nonDelete", Truth),
    ],
    "",
);

static LABEL: Shape = Object(&[("*name", Text)], "displayName description");

static MEDIA: Shape = Object(
    &[
        ("callUUID", Text),
        ("startTime", Text),
        ("stopTime", Text),
        ("mediaId", Text),
        ("type", Text),
        ("duration", Text),
        ("size", Text),
        ("parameters", Any),
        ("masks", List(&MASK)),
        ("pkcs7", Text),
        ("certAlias", List(&Text)),
        ("partitions", List(&Text)),
        ("accessgroups", List(&Text)),
        ("originalMediaDescriptor", DESCRIPTOR),
        ("mediaUri", Text),
    ],
    "mediaPath playPath tenant ivrprofile mediaDescriptor",
);

const DESCRIPTOR: Shape = Object(
    &[("*storage", Text), ("*path", Text)],
    "storage_version data",
);

static MASK: Shape = Object(&[("*time", Text), ("*type", Text)], "");

static EVENT: Shape = Object(
    &[
        ("occurredAt", Text),
        ("event", Text),
        ("calluuid", Text),
        ("contact", CONTACT),
        ("eventId", Text),
        ("data", Any),
    ],
    "",
);

const CONTACT: Shape = Object(
    &[
        ("type", Text),
        ("phoneNumber", Text),
        ("userName", Text),
        ("firstName", Text),
        ("lastName", Text),
    ],
    "",
);
