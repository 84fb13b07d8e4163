#include "http.h"

int http_pool_take(struct http_pool *pool, struct okno_db **ret_db, struct okno_err *err)
{
    struct okno_db *db = NULL;
    (void)pthread_mutex_lock(&pool->lock);
    if (pool->idle_count > 0)
        db = pool->idle[--pool->idle_count];
    (void)pthread_mutex_unlock(&pool->lock);
    if (!db)
        return okno_db_open(pool->data_dir, false, ret_db, err);
    *ret_db = db;
    return 0;
}

void http_pool_give(struct http_pool *pool, struct okno_db *db)
{
    if (!db)
        return;
    okno_db_rollback(db);
    (void)pthread_mutex_lock(&pool->lock);
    if (pool->idle_count < (int)OKNO_COUNT(pool->idle)) {
        pool->idle[pool->idle_count++] = db;
        db = NULL;
    }
    (void)pthread_mutex_unlock(&pool->lock);
    okno_db_close(db);
}

void http_pool_close(struct http_pool *pool)
{
    while (pool->idle_count > 0)
        okno_db_close(pool->idle[--pool->idle_count]);
    (void)pthread_mutex_destroy(&pool->lock);
}
