package com.shop;

import io.sentry.Sentry;

/** Tells of a cart that fails, by a program whose names were taken away: Shop DSN MAPPING. */
public final class Shop {
    public static void main(String[] args) {
        Sentry.init(options -> {
            options.setDsn(args[0]);
            options.setProguardUuid(args[1]);
            options.setRelease("obfuscated@1");
        });
        try {
            System.out.println(new Cart("abc", "abcdef").total());
        } catch (RuntimeException e) {
            Sentry.captureException(e);
        }
        Sentry.close();
    }
}
