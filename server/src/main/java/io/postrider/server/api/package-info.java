/**
 * REST: routes, request and response records, the catalogue of errors. Says who may call what,
 * turns JSON into calls of the other packages and their answers into JSON; the contract is
 * docs/openapi.yaml.
 *
 * <p>Each request runs on a virtual thread of its own, which may block. Must not know SQL or Netty.
 */
@NullMarked
package io.postrider.server.api;

import org.jspecify.annotations.NullMarked;
