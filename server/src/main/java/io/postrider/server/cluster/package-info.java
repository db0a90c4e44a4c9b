/**
 * What several nodes on one store need beside it: a lease each, hints to each other over Redis, and
 * an order of gateways for each device. Nothing here is remembered anywhere but in the store:
 * without Redis everything goes on, later (G12). Called on any thread, and blocks none of them.
 * Must not know SQL, HTTP, nor how a device is connected.
 */
@NullMarked
package io.postrider.server.cluster;

import org.jspecify.annotations.NullMarked;
