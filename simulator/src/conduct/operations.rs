//! The operations that rules of conduct are about; another platform adds its own here.

use crate::operations::{self, Operation};

/// Operations that answer with the bytes of a media file.
pub(super) static MEDIA_READS: [&Operation; 6] = [
    &operations::LEGACY_GET_MEDIA,
    &operations::LEGACY_GET_PRESIGNED,
    &operations::GENESYS_CLOUD_GET_BATCH_MEDIA,
    &operations::GIR_PLAY_MEDIA,
    &operations::GIR_PLAY_MEDIA_FOR_USER,
    &operations::WEBDAV_GET_FILE,
];

/// Creations that a second request of the same key does not find done: it merges, doubles, or makes
/// another.
pub(super) static NOT_IDEMPOTENT: [&Operation; 5] = [
    &operations::GIR_INSERT_RECORDING,
    &operations::SPEECHMINER_POST_RECORDING,
    &operations::GENESYS_CLOUD_CREATE_POLICY,
    &operations::GENESYS_CLOUD_CREATE_CROSSPLATFORM_POLICY,
    &operations::GENESYS_CLOUD_CREATE_RECORDING_JOB,
];

/// Operations that make a call's record where it is not there; others merge into it.
pub(super) static CREATES_A_CALL: [&Operation; 2] = [
    &operations::GENESYS_CLOUD_CREATE_INTERACTION,
    &operations::GIR_INSERT_RECORDING,
];

/// Operations that delete a call's record.
pub(super) static DELETES_A_CALL: [&Operation; 1] = [&operations::GIR_DELETE_RECORDING];

/// Operations that upload the bytes of a media file.
pub(super) static UPLOADS: [&Operation; 3] = [
    &operations::GENESYS_CLOUD_UPLOAD_FILE,
    &operations::GENESYS_CLOUD_PUT_UPLOAD,
    &operations::WEBDAV_PUT_FILE,
];

/// Deletions, and the creations of the same keys.
pub(super) static DELETE_AND_CREATE: [(&Operation, &Operation); 2] = [
    (
        &operations::WEBDAV_DELETE_FILE,
        &operations::WEBDAV_PUT_FILE,
    ),
    (
        &operations::GIR_DELETE_RECORDING,
        &operations::GIR_INSERT_RECORDING,
    ),
];
