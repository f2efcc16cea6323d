/**
 * The artifact store over an object store that speaks the S3 API. Nothing of the client's types
 * leaves this package.
 */
@NullMarked
package dev.cambium.artifact.s3;

import org.jspecify.annotations.NullMarked;
