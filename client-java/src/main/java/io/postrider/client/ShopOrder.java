package io.postrider.client;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;

/**
 * An order message for the tills of a shop, as twebsocketpush sent them: any till's ack settles it
 * for the shop. Not thread-safe.
 */
public final class ShopOrder {
    /** What has happened to the order. */
    public enum Kind {
        MEITUAN("meituan_order"),
        MEITUAN_CANCELLED("meituan_order@cancel"),
        ELEMEBAI("elemebai_order"),
        ELEMEBAI_CANCELLED("elemebai_order@cancel"),
        PRESALE("oto_order@presale"),
        PRESALE_CANCELLED("oto_order@presale@cancel"),
        NOWSALE("oto_order@nowsale"),
        NOWSALE_CANCELLED("oto_order@nowsale@cancel");

        private final String word;

        Kind(String word) {
            this.word = word;
        }

        /** The word on the wire: the message's {@code group} there. */
        public String word() {
            return word;
        }
    }

    /** How the customer gets it. */
    public enum Receipt {
        NONE,
        SELF_PICK_UP,
        DELIVERY
    }

    private final Kind kind;
    private final String orderNumber;
    private Receipt receipt = Receipt.NONE;
    private int type;
    private String title = "";
    private String content = "";
    private int priority = 3;

    /**
     * @param orderNumber the till's {@code group_oid}
     */
    public ShopOrder(Kind kind, String orderNumber) {
        this.kind = kind;
        this.orderNumber = orderNumber;
    }

    public ShopOrder title(String text) {
        title = text;
        return this;
    }

    public ShopOrder content(String text) {
        content = text;
        return this;
    }

    public ShopOrder receipt(Receipt how) {
        receipt = how;
        return this;
    }

    /** The till's {@code type}, a number of the shop's own choice; 0 unless given. */
    public ShopOrder type(int number) {
        type = number;
        return this;
    }

    /** 1 (least) to 5; 3 unless given. */
    public ShopOrder priority(int level) {
        priority = level;
        return this;
    }

    /**
     * The request to publish. Whoever may publish the same order twice gives it an idempotency key
     * made of the order.
     *
     * @param shop the group of the shop's tills
     */
    public PublishRequest to(String shop) {
        return PublishRequest.toGroups(shop)
                .firstAckSettles()
                .title(title)
                .body(content)
                .priority(priority)
                .dataJson(Rest.json(this::writeData));
    }

    private void writeData(JsonGenerator out) throws IOException {
        out.writeStringField("group", kind.word);
        out.writeStringField("group_oid", orderNumber);
        out.writeNumberField("type", type);
        out.writeNumberField("receive_type", receipt.ordinal());
    }
}
