/* Secrets of clients: random text, kept as a hash. */
#ifndef OKNO_REGISTRY_RANDOM_H
#define OKNO_REGISTRY_RANDOM_H

#include "okno/hash.h"
#include "okno/user.h"

/* 32 random bytes as hex. */
OKNO_CHECK int random_token(char ret_token[OKNO_TOKEN_TEXT], struct okno_err *err);

/* What is kept of it. Returns ret_hash. */
const char *random_token_hash(const char *token, char ret_hash[OKNO_SHA256_TEXT]);

#endif
