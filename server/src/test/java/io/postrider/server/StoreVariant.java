package io.postrider.server;

import io.postrider.server.delivery.MessageStore;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/** A store that does one thing in the test's way and everything else as the real one. */
public final class StoreVariant {
    private StoreVariant() {}

    /** What the one thing answers. */
    public interface Answer {
        Object to(Object[] arguments) throws Throwable;
    }

    /**
     * @param method the name of the one thing, as {@code accept}
     */
    public static MessageStore of(MessageStore real, String method, Answer answer) {
        return (MessageStore)
                Proxy.newProxyInstance(
                        StoreVariant.class.getClassLoader(),
                        new Class<?>[] {MessageStore.class},
                        (proxy, called, arguments) -> {
                            if (called.getName().equals(method)) {
                                return answer.to(arguments == null ? new Object[0] : arguments);
                            }
                            try {
                                return called.invoke(real, arguments);
                            } catch (InvocationTargetException e) {
                                throw e.getCause();
                            }
                        });
    }
}
