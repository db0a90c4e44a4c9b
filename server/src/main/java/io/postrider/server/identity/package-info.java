/**
 * Who there is: developers, their apps, the apps' devices, and what each of them proves itself
 * with. Defines the store interfaces that it needs.
 *
 * <p>Called on virtual threads, which may block, but for {@link
 * io.postrider.server.identity.DeviceTokens}, which gateways call on event loops. Must not know
 * messages, sessions or any transport.
 */
@NullMarked
package io.postrider.server.identity;

import org.jspecify.annotations.NullMarked;
