from wsgikit import Request, Response, Router, serve, stack
from wsgikit.middleware import errors

router = Router()


@router.get("/")
def home(request: Request) -> Response:
    return Response.html('<h1>Hello, web!</h1><p><a href="hello/Ada">And Ada</a></p>')


@router.get("/hello/{name}")
def hello(request: Request, name: str) -> str:
    return f"Hello, {name}!"


app = stack(errors(), router)

if __name__ == "__main__":
    serve(app)
