package io.postrider.server.delivery;

import java.util.function.IntConsumer;
import org.roaringbitmap.PeekableIntIterator;
import org.roaringbitmap.RoaringBitmap;

/** Device numbers of one app, ascending, each once. Never changes. */
public final class Recipients {
    private final RoaringBitmap numbers;
    private final int count;

    private Recipients(RoaringBitmap numbers) {
        this.numbers = numbers;
        this.count = numbers.getCardinality();
    }

    /** The numbers of a set, which must not change any more. */
    public static Recipients of(RoaringBitmap numbers) {
        return new Recipients(numbers);
    }

    public static Recipients of(int... numbers) {
        return new Recipients(RoaringBitmap.bitmapOf(numbers));
    }

    public int count() {
        return count;
    }

    public boolean contains(int number) {
        return numbers.contains(number);
    }

    public int first() {
        return numbers.first();
    }

    public void forEach(IntConsumer each) {
        for (PeekableIntIterator i = numbers.getIntIterator(); i.hasNext(); ) {
            each.accept(i.next());
        }
    }

    /** The numbers as a set of the caller's own. */
    public RoaringBitmap copy() {
        return numbers.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Recipients recipients && numbers.equals(recipients.numbers);
    }

    /** That of a bitmap depends on how it is kept. */
    @Override
    public int hashCode() {
        return count == 0 ? 0 : 31 * count + first();
    }

    @Override
    public String toString() {
        return numbers.toString();
    }
}
