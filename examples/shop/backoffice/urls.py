"""Under `/backoffice/`."""

from rest_framework.routers import SimpleRouter

from .views import ArticleViewSet, CommentViewSet

router = SimpleRouter()
router.register("articles", ArticleViewSet)
router.register("comments", CommentViewSet)

urlpatterns = router.urls
