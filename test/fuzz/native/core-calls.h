// What the files of the core's part of the harness share.
#pragma once
#include "calls.h"

/** Plans a batch whose tables hold what they like. */
void plan_anyhow(Input *input, Place place);
/** Indexes images and plans them, as src/core/device-session.ts does. */
void plan_batch(Input *input, Place place);
